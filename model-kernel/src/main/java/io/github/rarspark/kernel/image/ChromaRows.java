package io.github.rarspark.kernel.image;

import java.util.List;

/**
 * The chroma of JPEG files that store half of its rows and all of its columns (4:4:0). The libjpeg in some builds of the
 * JDK repeats these rows; libjpeg-turbo, which others and Pillow have, weighs neighbouring ones 3 to 1 (its {@code
 * h1v2_fancy_upsample}).
 */
final class ChromaRows {
    private ChromaRows() {}

    /**
     * Weighs the rows of the components that have half of them, if the decoder repeated them.
     *
     * @param samples the picture's samples, {@code height x width x components}; changed in place
     * @param width pixels in a row
     * @param doubled by component, whether it has half of the rows
     */
    static void smooth(byte[] samples, int width, List<Boolean> doubled) {
        int components = doubled.size();
        for (int c = 0; c < components; c++) {
            if (doubled.get(c) && areRepeated(samples, width * components, c, components)) {
                smooth(samples, width * components, c, components);
            }
        }
    }

    private static boolean areRepeated(byte[] samples, int stride, int first, int step) {
        for (int row = 0; row + stride < samples.length; row += 2 * stride) {
            for (int x = first; x < stride; x += step) {
                if (samples[row + x] != samples[row + stride + x]) {
                    return false;
                }
            }
        }
        return true;
    }

    private static void smooth(byte[] samples, int stride, int first, int step) {
        int rows = samples.length / stride;
        for (int x = first; x < stride; x += step) {
            int above = samples[x] & 0xff;
            for (int y = 0; y < rows; y += 2) {
                int at = y * stride + x;
                int own = samples[at] & 0xff;
                int below = y + 2 < rows ? samples[at + 2 * stride] & 0xff : own;
                samples[at] = (byte) (3 * own + above + 1 >> 2);
                if (y + 1 < rows) {
                    samples[at + stride] = (byte) (3 * own + below + 2 >> 2);
                }
                above = own;
            }
        }
    }
}
