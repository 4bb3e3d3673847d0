package io.github.rarspark.common.samples;

/**
 * A generated image.
 *
 * @param index its number in the run
 * @param classId its class
 * @param seed of the run
 * @param png the image as a PNG file
 */
public record Sample(long index, int classId, long seed, byte[] png) {}
