package io.github.rarspark.kernel.image;

import static io.github.rarspark.kernel.image.RgbImage.CHANNELS;

import java.util.Arrays;

/**
 * Pillow's resampling of 8-bit images: a horizontal pass, then a vertical one, each with weights in fixed point and
 * rounded to bytes; a pass that keeps the size is skipped. Follows {@code Resample.c} of Pillow 12.0 and gives the same
 * bytes.
 */
public final class Resampler {
    private static final int PRECISION_BITS = 22;
    private static final int HALF = 1 << (PRECISION_BITS - 1);
    private static final long HALVES = HALF | (long) HALF << Integer.SIZE;

    /** The kernel that weighs the pixels below an output pixel. */
    public enum Filter {
        /** The mean of the covered input pixels. */
        BOX(0.5) {
            @Override
            double weight(double x) {
                return x > -0.5 && x <= 0.5 ? 1 : 0;
            }
        },
        /** Cubic convolution with a = -0.5. */
        BICUBIC(2) {
            @Override
            double weight(double x) {
                double a = -0.5;
                double d = Math.abs(x);
                if (d < 1) {
                    return ((a + 2) * d - (a + 3)) * d * d + 1;
                }
                return d < 2 ? (((d - 5) * d + 8) * d - 4) * a : 0;
            }
        };

        private final double support;

        Filter(double support) {
            this.support = support;
        }

        abstract double weight(double x);
    }

    private Resampler() {}

    /** The image scaled to {@code width x height}. */
    public static RgbImage resize(RgbImage image, int width, int height, Filter filter) {
        return resize(image, new Axis(width, 0, width), new Axis(height, 0, height), filter);
    }

    /**
     * The part of a scaled side to compute.
     *
     * @param scaled the whole side's length after scaling
     * @param start the first pixel of the part
     * @param length the number of pixels of the part
     */
    record Axis(long scaled, long start, int length) {
        boolean isWhole(int side) {
            return scaled == side && start == 0 && length == side;
        }
    }

    /** Computes a part of the scaled image; gives the same bytes as cropping the whole scaled image. */
    static RgbImage resize(RgbImage image, Axis horizontal, Axis vertical, Filter filter) {
        RgbImage narrowed = image;
        Taps rows = Taps.of(image.height(), vertical, filter);
        int firstRow = 0;
        if (!horizontal.isWhole(image.width())) {
            firstRow = rows.first();
            narrowed = horizontally(image, Taps.of(image.width(), horizontal, filter), firstRow, rows.end());
        }
        return vertical.isWhole(image.height()) ? narrowed : vertically(narrowed, rows, firstRow);
    }

    private static RgbImage horizontally(RgbImage image, Taps taps, int firstRow, int endRow) {
        int stride = CHANNELS * image.width();
        byte[] in = image.pixels();
        byte[] out = new byte[CHANNELS * taps.count() * (endRow - firstRow)];
        long[] pair = new long[CHANNELS * (taps.end() - taps.first())];
        int at = 0;
        for (int y = firstRow; y < endRow; y += 2) {
            // The last of an odd number of rows is computed twice.
            int step = y + 1 < endRow ? 1 : 0;
            int from = y * stride + CHANNELS * taps.first();
            for (int x = 0; x < pair.length; x++) {
                pair[x] = in[from + x] & 0xff | (in[from + step * stride + x] & 0xffL) << Integer.SIZE;
            }
            horizontally(pair, taps, out, at, at + step * CHANNELS * taps.count());
            at += 2 * CHANNELS * taps.count();
        }
        return new RgbImage(taps.count(), endRow - firstRow, out);
    }

    /**
     * Computes two rows at once, one in the lower and one in the upper half of each number: one multiplication and one
     * addition do for both. A negative lower half borrows one from the upper.
     *
     * @param pair the samples of both rows, from the first that has a weight on
     * @param lower where in {@code out} the row in the lower halves goes
     * @param upper where in {@code out} the row in the upper halves goes
     */
    private static void horizontally(long[] pair, Taps taps, byte[] out, int lower, int upper) {
        int origin = taps.first();
        for (int x = 0; x < taps.count(); x++) {
            int[] weights = taps.weights[x];
            int from = CHANNELS * (taps.start[x] - origin);
            long first = HALVES;
            long second = HALVES;
            long third = HALVES;
            for (int weight : weights) {
                first += pair[from] * weight;
                second += pair[from + 1] * weight;
                third += pair[from + 2] * weight;
                from += CHANNELS;
            }
            int to = CHANNELS * x;
            put(first, out, lower + to, upper + to);
            put(second, out, lower + to + 1, upper + to + 1);
            put(third, out, lower + to + 2, upper + to + 2);
        }
    }

    private static void put(long sums, byte[] out, int lower, int upper) {
        int sum = (int) sums;
        out[lower] = toByte(sum);
        out[upper] = toByte((int) (sums - sum >> Integer.SIZE));
    }

    private static RgbImage vertically(RgbImage image, Taps taps, int firstRow) {
        int stride = CHANNELS * image.width();
        byte[] in = image.pixels();
        byte[] out = new byte[stride * taps.count()];
        // The rows below an output row, as integers: loops over these run in vector registers.
        int[][] rows = new int[taps.longest()][stride];
        int nextRow = firstRow;
        int[] sums = new int[stride];
        for (int y = 0; y < taps.count(); y++) {
            int[] weights = taps.weights[y];
            int start = taps.start[y];
            for (nextRow = Math.max(nextRow, start); nextRow < start + weights.length; nextRow++) {
                widen(in, stride * (nextRow - firstRow), rows[nextRow % rows.length]);
            }
            Arrays.fill(sums, HALF);
            for (int i = 0; i < weights.length; i++) {
                addProducts(rows[(start + i) % rows.length], weights[i], sums);
            }
            for (int x = 0; x < stride; x++) {
                out[y * stride + x] = toByte(sums[x]);
            }
        }
        return new RgbImage(image.width(), taps.count(), out);
    }

    private static void widen(byte[] in, int from, int[] row) {
        for (int x = 0; x < row.length; x++) {
            row[x] = in[from + x] & 0xff;
        }
    }

    private static void addProducts(int[] row, int weight, int[] sums) {
        for (int x = 0; x < sums.length; x++) {
            sums[x] += row[x] * weight;
        }
    }

    private static byte toByte(int sum) {
        return (byte) Math.max(0, Math.min(255, sum >> PRECISION_BITS));
    }

    /**
     * For each output pixel of a part of a side: the first input pixel of its support, and the weights from there on.
     */
    private record Taps(int[] start, int[][] weights) {
        static Taps of(int side, Axis axis, Filter filter) {
            double scale = (double) side / axis.scaled();
            double stretch = Math.max(scale, 1);
            double support = filter.support * stretch;
            int[] start = new int[axis.length()];
            int[][] weights = new int[axis.length()][];
            for (int i = 0; i < axis.length(); i++) {
                double centre = (axis.start() + i + 0.5) * scale;
                start[i] = Math.max(0, (int) (centre - support + 0.5));
                int end = Math.min(side, (int) (centre + support + 0.5));
                weights[i] = weights(start[i], end, centre, 1 / stretch, filter);
            }
            return new Taps(start, weights);
        }

        private static int[] weights(int start, int end, double centre, double shrink, Filter filter) {
            double[] exact = new double[end - start];
            double sum = 0;
            for (int x = 0; x < exact.length; x++) {
                exact[x] = filter.weight((x + start - centre + 0.5) * shrink);
                sum += exact[x];
            }
            int[] fixed = new int[exact.length];
            for (int x = 0; x < fixed.length; x++) {
                double weight = sum == 0 ? exact[x] : exact[x] / sum;
                fixed[x] = (int) (weight * (1 << PRECISION_BITS) + (weight < 0 ? -0.5 : 0.5));
            }
            return fixed;
        }

        int count() {
            return start.length;
        }

        /** The maximum number of weights. */
        int longest() {
            return Arrays.stream(weights).mapToInt(w -> w.length).max().orElseThrow();
        }

        /** The first input pixel in any output pixel's support. */
        int first() {
            return start[0];
        }

        /** The input pixel after the last one in any output pixel's support. */
        int end() {
            int last = start.length - 1;
            return start[last] + weights[last].length;
        }
    }
}
