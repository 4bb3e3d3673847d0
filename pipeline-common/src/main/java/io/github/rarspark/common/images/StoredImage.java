package io.github.rarspark.common.images;

import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.image.ImageDecoder;
import io.github.rarspark.kernel.image.RgbImage;

/**
 * An image as it is stored, not yet decoded.
 *
 * @param id its name within the source, the same in every run: a path, or a file and a row
 * @param classId its class; -1 if the source does not say
 * @param bytes the image file, empty if the source has none
 * @param fault why the file could not be read, in one line; empty if it was
 */
public record StoredImage(String id, int classId, byte[] bytes, String fault) {
    /** The most bytes that an image file may have; far above photographs of the most pixels that are decoded. */
    static final int MOST_BYTES = 128 << 20;

    /** An image whose file was read; one of more than {@link #MOST_BYTES} is as good as unreadable. */
    static StoredImage of(String id, int classId, byte[] bytes) {
        return bytes.length > MOST_BYTES
                ? tooLarge(id, classId, bytes.length)
                : new StoredImage(id, classId, bytes, "");
    }

    /** An image whose file was not read, because of its length in bytes. */
    static StoredImage tooLarge(String id, int classId, long length) {
        return unreadable(id, classId, "it has " + length + " bytes, more than the limit of " + MOST_BYTES);
    }

    /** An image whose file cannot be read. */
    static StoredImage unreadable(String id, int classId, String why) {
        return new StoredImage(id, classId, new byte[0], "Cannot read " + id + ": " + why);
    }

    /**
     * The pixels.
     *
     * @throws DataException if the file could not be read or is no image that can be decoded
     */
    public RgbImage decode() {
        if (!fault.isEmpty()) {
            throw new DataException(fault);
        }
        return new ImageDecoder().decode(bytes, id);
    }
}
