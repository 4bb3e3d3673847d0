package io.github.rarspark.kernel.image;

import static io.github.rarspark.kernel.image.RgbImage.CHANNELS;

import java.util.Arrays;

/** Draws how often things occur, for people to look at. */
public final class BarChart {
    private static final byte WHITE = (byte) 0xff;
    private static final byte GRAY = 0x60;

    private BarChart() {}

    /**
     * Gray bars on white, from left to right, whose heights are the logarithms of the counts; 0 has no bar. Where there
     * are more counts than pixels, each bar is the first of its counts.
     *
     * @param counts at least one, none negative
     */
    public static RgbImage logarithmic(long[] counts, int width, int height) {
        double most = Math.log1p(Arrays.stream(counts).max().orElseThrow());
        byte[] pixels = new byte[CHANNELS * width * height];
        Arrays.fill(pixels, WHITE);
        for (int x = 0; x < width; x++) {
            long count = counts[(int) ((long) x * counts.length / width)];
            int bar = count == 0 ? 0 : (int) Math.max(1, Math.round(height * Math.log1p(count) / most));
            for (int y = height - bar; y < height; y++) {
                int at = CHANNELS * (y * width + x);
                Arrays.fill(pixels, at, at + CHANNELS, GRAY);
            }
        }
        return new RgbImage(width, height, pixels);
    }
}
