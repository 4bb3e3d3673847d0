package io.github.rarspark.common.images;

import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.image.ImageDecoder;
import io.github.rarspark.kernel.image.RgbImage;

/** An image as its source stores it: the bytes of an image file, pixels, or the reason why it could not be read. */
public sealed interface StoredImage {
    /** The most bytes that an image file may have; far above photographs of the most pixels that are decoded. */
    int MOST_BYTES = 128 << 20;

    /** Its name within the source, the same in every run: a path, or a file and a row. */
    String id();

    /** Its class; -1 if the source does not say. */
    int classId();

    /**
     * The pixels.
     *
     * @throws DataException if the file could not be read or is no image that can be decoded
     */
    RgbImage decode();

    /** Whether its EXIF data asks to turn or mirror it, which is not done. */
    default boolean isOriented() {
        return false;
    }

    /** An image whose file was read; one of more than {@link #MOST_BYTES} is as good as unreadable. */
    static StoredImage of(String id, int classId, byte[] file) {
        return file.length > MOST_BYTES
                ? Unreadable.tooLarge(id, classId, file.length)
                : new Encoded(id, classId, file);
    }

    /**
     * An image file.
     *
     * @param file its bytes, empty if the source has none
     */
    record Encoded(String id, int classId, byte[] file) implements StoredImage {
        private static final int UPRIGHT = 1;

        @Override
        public RgbImage decode() {
            return new ImageDecoder().decode(file, id);
        }

        @Override
        public boolean isOriented() {
            return ImageDecoder.orientation(file) != UPRIGHT;
        }
    }

    /** An image that is stored as its pixels. */
    record Decoded(String id, int classId, RgbImage pixels) implements StoredImage {
        @Override
        public RgbImage decode() {
            return pixels;
        }
    }

    /**
     * An image whose file cannot be read.
     *
     * @param why the reason in one line
     */
    record Unreadable(String id, int classId, String why) implements StoredImage {
        /** An image whose file was not read, because of its length in bytes. */
        static Unreadable tooLarge(String id, int classId, long length) {
            return new Unreadable(id, classId, "it has " + length + " bytes, more than the limit of " + MOST_BYTES);
        }

        @Override
        public RgbImage decode() {
            throw new DataException("Cannot read " + id + ": " + why);
        }
    }
}
