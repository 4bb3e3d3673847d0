package io.github.rarspark.common.images;

/**
 * An image as it is stored, not yet decoded.
 *
 * @param id its name within the source, the same in every run: a path, or a file and a row
 * @param classId its class; -1 if the source does not say
 * @param bytes the image file, empty if the source has none
 */
public record StoredImage(String id, int classId, byte[] bytes) {}
