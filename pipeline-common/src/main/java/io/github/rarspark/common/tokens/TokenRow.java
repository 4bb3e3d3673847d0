package io.github.rarspark.common.tokens;

/**
 * The tokens of one crop of an image.
 *
 * @param sampleId the image
 * @param classId its class
 * @param crop which of the image's crops, from 0
 * @param tokens codes of the grid, row by row
 */
public record TokenRow(String sampleId, int classId, int crop, long[] tokens) {}
