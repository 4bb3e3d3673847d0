package io.github.rarspark.kernel.image;

/**
 * An 8-bit RGB image.
 *
 * @param width pixels in a row
 * @param height rows
 * @param pixels {@code height x width x 3} unsigned bytes (HWC); neither copied nor modified by this package
 */
public record RgbImage(int width, int height, byte[] pixels) {
    /** Bytes per pixel. */
    public static final int CHANNELS = 3;

    /** Checks that the sizes are positive and match the number of bytes. */
    public RgbImage {
        if (width <= 0 || height <= 0 || pixels.length != (long) CHANNELS * width * height) {
            throw new IllegalArgumentException(
                    "An image of " + width + " x " + height + " pixels cannot have " + pixels.length + " bytes");
        }
    }

    /** The image mirrored left to right. */
    public RgbImage mirrored() {
        byte[] mirrored = new byte[pixels.length];
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                int from = CHANNELS * (y * width + x);
                int to = CHANNELS * (y * width + width - 1 - x);
                for (int c = 0; c < CHANNELS; c++) {
                    mirrored[to + c] = pixels[from + c];
                }
            }
        }
        return new RgbImage(width, height, mirrored);
    }

    /**
     * The rectangle of {@code size x size} pixels whose top left corner is (left, top).
     *
     * @throws IllegalArgumentException if it reaches beyond the image
     */
    public RgbImage cut(int left, int top, int size) {
        if (left < 0 || top < 0 || left + size > width || top + size > height) {
            throw new IllegalArgumentException("Cannot cut " + size + " x " + size + " pixels at (" + left + ", " + top
                    + ") out of " + width + " x " + height);
        }
        byte[] cut = new byte[CHANNELS * size * size];
        for (int y = 0; y < size; y++) {
            System.arraycopy(pixels, CHANNELS * ((top + y) * width + left), cut, CHANNELS * y * size, CHANNELS * size);
        }
        return new RgbImage(size, size, cut);
    }

    /** The image with {@code factor x factor} pixels in the place of each. */
    public RgbImage enlarged(int factor) {
        int newWidth = factor * width;
        byte[] enlarged = new byte[pixels.length * factor * factor];
        for (int y = 0; y < factor * height; y++) {
            for (int x = 0; x < newWidth; x++) {
                System.arraycopy(
                        pixels,
                        CHANNELS * (y / factor * width + x / factor),
                        enlarged,
                        CHANNELS * (y * newWidth + x),
                        CHANNELS);
            }
        }
        return new RgbImage(newWidth, factor * height, enlarged);
    }
}
