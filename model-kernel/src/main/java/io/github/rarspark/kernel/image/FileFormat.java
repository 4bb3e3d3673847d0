package io.github.rarspark.kernel.image;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** File formats that data sets hold by mistake, so that a message can name them. */
enum FileFormat {
    GIF("GIF", 0, "GIF8"),
    WEBP("WebP", 8, "WEBP"),
    BMP("BMP", 0, "BM"),
    TIFF("TIFF", 0, "II*\0"),
    BIG_ENDIAN_TIFF("TIFF", 0, "MM\0*"),
    AVIF("AVIF", 4, "ftypavif"),
    HEIC("HEIC", 4, "ftyphei"),
    JPEG_2000("JPEG 2000", 4, "jP  \r\n"),
    PDF("PDF", 0, "%PDF"),
    ZIP("a ZIP archive", 0, "PK\3\4"),
    GZIP("gzip", 0, "\37\213"),
    LFS("a pointer of Git LFS", 0, "version https://git-lfs"),
    HTML("HTML", 0, "<!DOCTYPE html"),
    HTML_WITHOUT_TYPE("HTML", 0, "<html");

    private final String label;
    private final int at;
    private final byte[] magic;

    FileFormat(String label, int at, String magic) {
        this.label = label;
        this.at = at;
        this.magic = magic.getBytes(StandardCharsets.ISO_8859_1);
    }

    private boolean matches(byte[] file) {
        return file.length >= at + magic.length && Arrays.equals(file, at, at + magic.length, magic, 0, magic.length);
    }

    /** What is wrong with a file that is neither PNG nor JPEG; completes "Cannot decode FILE: ". */
    static String complaint(byte[] file) {
        if (file.length == 0) {
            return "it is empty";
        }
        for (FileFormat format : values()) {
            if (format.matches(file)) {
                return "it is " + format.label + ", neither PNG nor JPEG";
            }
        }
        return "it is neither PNG nor JPEG";
    }
}
