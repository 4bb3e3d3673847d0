package io.github.rarspark.common.images;

import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.image.ImageDecoder;
import io.github.rarspark.kernel.image.RgbImage;

/** An image as its source stores it: the bytes of an image file, pixels, or the reason why it could not be read. */
public sealed interface StoredImage {
    /** The maximum size of an image file in bytes; far above photographs with the maximum number of pixels. */
    int MOST_BYTES = 128 << 20;

    /** Its name within the source, the same in every run: a path, or a file and a row. */
    String id();

    /** Its class; -1 if unknown. */
    int classId();

    /**
     * The pixels.
     *
     * @throws DataException if the file could not be read or decoded
     */
    RgbImage decode();

    /** Whether its EXIF data asks to turn or mirror it, which is not done. */
    default boolean isOriented() {
        return false;
    }

    /** The number of pixels that {@link #decode} has to make, as far as the header tells; 0 if there is nothing to do. */
    default long pixelsToDecode() {
        return 0;
    }

    /** An image whose file was read; one of more than {@link #MOST_BYTES} counts as unreadable. */
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

        @Override
        public long pixelsToDecode() {
            return ImageDecoder.pixels(file);
        }
    }

    /**
     * An image file without a label that can be used; only for jobs that need none.
     *
     * @param why what is wrong with the label, in one line
     */
    record Unlabelled(String id, byte[] file, String why) implements StoredImage {
        @Override
        public int classId() {
            return -1;
        }

        @Override
        public RgbImage decode() {
            return encoded().decode();
        }

        @Override
        public boolean isOriented() {
            return encoded().isOriented();
        }

        private Encoded encoded() {
            return new Encoded(id, -1, file);
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
        /** An image whose file was not read because of its size in bytes. */
        static Unreadable tooLarge(String id, int classId, long length) {
            return new Unreadable(id, classId, "it has " + length + " bytes, more than the limit of " + MOST_BYTES);
        }

        @Override
        public RgbImage decode() {
            throw new DataException("Cannot read " + id + ": " + why);
        }
    }
}
