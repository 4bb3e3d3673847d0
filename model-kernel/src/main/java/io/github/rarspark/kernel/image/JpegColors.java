package io.github.rarspark.kernel.image;

import io.github.rarspark.kernel.image.JpegStructure.Colors;

/**
 * Colour conversion of decoded JPEG samples: libjpeg's from YCC, in its fixed-point arithmetic, and Pillow's from CMYK,
 * whose four samples are stored inverted.
 */
final class JpegColors {
    private static final int SCALE_BITS = 16;
    private static final int HALF = 1 << (SCALE_BITS - 1);
    private static final int RED_OF_RED = fixed(1.40200);
    private static final int GREEN_OF_BLUE = fixed(0.34414);
    private static final int GREEN_OF_RED = fixed(0.71414);
    private static final int BLUE_OF_BLUE = fixed(1.77200);

    private JpegColors() {}

    /**
     * Converts pixels.
     *
     * @param samples of each pixel in turn
     * @param rgb where their red, green and blue bytes go; may be {@code samples} itself if a pixel has three of these
     */
    static void toRgb(Colors colors, byte[] samples, byte[] rgb) {
        if (colors == Colors.YCC) {
            // Nearly all images; a loop of its own takes half the time.
            for (int i = 0; i < samples.length; i += RgbImage.CHANNELS) {
                fromYcc(samples, i, rgb, i);
            }
            return;
        }
        int step = colors.samples();
        for (int i = 0, o = 0; i < samples.length; i += step, o += RgbImage.CHANNELS) {
            switch (colors) {
                case GRAY -> put(rgb, o, samples[i], samples[i], samples[i]);
                case RGB -> put(rgb, o, samples[i], samples[i + 1], samples[i + 2]);
                case CMYK -> {
                    put(rgb, o, ~samples[i], ~samples[i + 1], ~samples[i + 2]);
                    blacken(rgb, o, samples[i + 3] & 0xff);
                }
                case YCCK -> {
                    // libjpeg inverts the samples when it converts them from YCC, and Pillow inverts them again.
                    fromYcc(samples, i, rgb, o);
                    blacken(rgb, o, samples[i + 3] & 0xff);
                }
                default -> throw new IllegalStateException("No conversion from " + colors);
            }
        }
    }

    private static void fromYcc(byte[] samples, int i, byte[] rgb, int o) {
        int luma = samples[i] & 0xff;
        int blue = (samples[i + 1] & 0xff) - 128;
        int red = (samples[i + 2] & 0xff) - 128;
        put(
                rgb,
                o,
                limit(luma + (RED_OF_RED * red + HALF >> SCALE_BITS)),
                limit(luma + (-GREEN_OF_BLUE * blue - GREEN_OF_RED * red + HALF >> SCALE_BITS)),
                limit(luma + (BLUE_OF_BLUE * blue + HALF >> SCALE_BITS)));
    }

    /**
     * Turns cyan, magenta and yellow in place into red, green and blue.
     *
     * @param light the inverted sample of black: what black leaves of light
     */
    private static void blacken(byte[] rgb, int o, int light) {
        for (int c = o; c < o + RgbImage.CHANNELS; c++) {
            int scaled = (rgb[c] & 0xff) * light + 128;
            rgb[c] = (byte) limit(light - (scaled + (scaled >> 8) >> 8));
        }
    }

    private static int fixed(double factor) {
        return (int) (factor * (1 << SCALE_BITS) + 0.5);
    }

    /** The nearest number of 0 to 255, of which the lowest byte counts. */
    private static int limit(int value) {
        // Most values are in the range; ~value >> 31 is 0 below it and -1 above.
        return (value & ~255) == 0 ? value : ~value >> 31;
    }

    private static void put(byte[] rgb, int o, int first, int second, int third) {
        rgb[o] = (byte) first;
        rgb[o + 1] = (byte) second;
        rgb[o + 2] = (byte) third;
    }
}
