package io.github.rarspark.kernel.testing;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;

/**
 * The kinds of image files that a data set holds by accident: other formats, damaged files, rare variants of PNG and
 * JPEG. They are made by code from the small pictures of {@code image-kinds}, where a README tells how the pixels of the
 * usable ones were found.
 */
public final class OddImages {
    private OddImages() {}

    /**
     * A kind of file.
     *
     * @param name what it is
     * @param file its content
     * @param pixels the size that Pillow gives and the start of the SHA-256 of its RGB bytes, such as {@code 37x26
     *     0123456789abcdef}; only the size if libjpeg's versions patch up damaged data differently; empty if the file is
     *     not usable
     * @param reason part of why it is not usable; empty if it is
     */
    public record Kind(String name, byte[] file, String pixels, String reason) {
        static Kind usable(String name, String pixels, byte[] file) {
            return new Kind(name, file, pixels, "");
        }

        static Kind bad(String name, String reason, byte[] file) {
            return new Kind(name, file, "", reason);
        }

        /** Whether it holds a picture that can be decoded. */
        public boolean isUsable() {
            return reason.isEmpty();
        }

        @Override
        public String toString() {
            return name;
        }
    }

    /** All kinds, each under a name of its own. */
    public static List<Kind> all() {
        List<Kind> kinds = new ArrayList<>(otherFormats());
        kinds.addAll(OddPngs.all());
        kinds.addAll(OddJpegs.all());
        return kinds;
    }

    /** Writes all kinds to a folder, for another program to read. */
    public static void main(String[] args) throws IOException {
        for (Kind kind : all()) {
            Files.write(Path.of(args[0], kind.name().replace(' ', '-')), kind.file());
        }
    }

    private static List<Kind> otherFormats() {
        String neither = ", neither PNG nor JPEG";
        byte[] jpeg = imageKind("ycc-420.jpg");
        return List.of(
                Kind.bad("empty", "it is empty", new byte[0]),
                Kind.bad("one byte", "it is neither PNG nor JPEG", new byte[] {-1}),
                Kind.bad("zeros", "it is neither PNG nor JPEG", new byte[4096]),
                Kind.bad("text", "it is neither PNG nor JPEG", text("image 17")),
                Kind.bad("HTML", "it is HTML" + neither, text("<!DOCTYPE html><p>403 Forbidden</p>")),
                Kind.bad(
                        "Git LFS pointer",
                        "it is a pointer of Git LFS" + neither,
                        text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n")),
                Kind.bad(
                        "GIF",
                        "it is GIF" + neither,
                        bytes(text("GIF89a"), hex("0100010080010000000000ffffff2c00000000010001000002024401003b"))),
                Kind.bad(
                        "animated GIF",
                        "it is GIF" + neither,
                        bytes(
                                text("GIF89a"),
                                hex("0100010080010000000000ffffff"),
                                hex("21ff0b"),
                                text("NETSCAPE2.0"),
                                hex("0301000000"),
                                hex("2c0000000001000100000202440100"),
                                hex("2c00000000010001000002024c01003b"))),
                Kind.bad(
                        "WebP",
                        "it is WebP" + neither,
                        bytes(
                                text("RIFF"),
                                hex("1a000000"),
                                text("WEBPVP8L"),
                                hex("0d0000002f00000010071011118888fe0700"))),
                Kind.bad(
                        "BMP",
                        "it is BMP" + neither,
                        bytes(
                                text("BM"),
                                hex("3a0000000000000036000000280000000100000001000000010018000000000004000000"),
                                new byte[16],
                                hex("01020300"))),
                Kind.bad("TIFF", "it is TIFF" + neither, hex("49492a000800000000000000")),
                Kind.bad("TIFF of a Mac", "it is TIFF" + neither, hex("4d4d002a000000080000000000")),
                Kind.bad("AVIF", "it is AVIF" + neither, bytes(hex("00000018"), text("ftypavif"), new byte[12])),
                Kind.bad("HEIC", "it is HEIC" + neither, bytes(hex("00000018"), text("ftypheic"), new byte[12])),
                Kind.bad("JPEG 2000", "it is JPEG 2000" + neither, hex("0000000c6a5020200d0a870a")),
                Kind.bad("PDF", "it is PDF" + neither, text("%PDF-1.7\n")),
                Kind.bad("ZIP", "it is a ZIP archive" + neither, hex("504b0304140000000000")),
                Kind.bad("gzip", "it is gzip" + neither, hex("1f8b0800000000000003")),
                Kind.bad("JPEG behind a byte", "it is neither PNG nor JPEG", bytes(new byte[1], jpeg)),
                Kind.bad("JPEG without its first byte", "it is neither PNG nor JPEG", from(jpeg, 1)));
    }

    /** A file of {@code image-kinds}. */
    public static byte[] imageKind(String name) {
        try (InputStream in = OddImages.class.getResourceAsStream("/image-kinds/" + name)) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static byte[] bytes(byte[]... parts) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            out.writeBytes(part);
        }
        return out.toByteArray();
    }

    static byte[] text(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    static byte[] hex(String digits) {
        return HexFormat.of().parseHex(digits);
    }

    static byte[] from(byte[] file, int start) {
        return Arrays.copyOfRange(file, start, file.length);
    }

    /** The file with a byte replaced; a negative position counts from its end. */
    static byte[] with(byte[] file, int at, int value) {
        byte[] changed = file.clone();
        changed[at < 0 ? file.length + at : at] = (byte) value;
        return changed;
    }

    /** The file with one bit changed; a negative position counts from its end. */
    static byte[] flipped(byte[] file, int at) {
        return with(file, at, file[at < 0 ? file.length + at : at] ^ 1);
    }

    /** The file with {@code more} before the byte at {@code at}. */
    static byte[] insert(byte[] file, int at, byte[] more) {
        return bytes(Arrays.copyOf(file, at), more, from(file, at));
    }

    /** Bytes that follow no pattern, the same in every run. */
    static byte[] noise(int length) {
        byte[] noise = new byte[length];
        for (int i = 0; i < length; i++) {
            noise[i] = (byte) (i * 0x9E3779B1 >>> 24 ^ i >> 3);
        }
        return noise;
    }
}
