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
        if (horizontal.isWhole(image.width()) && vertical.isWhole(image.height())) {
            return image;
        }
        // Of a side that keeps its length each pixel has its own weight, 1, and perhaps others, 0.
        Taps columns = Taps.of(image.width(), horizontal, filter);
        Taps rows = Taps.of(image.height(), vertical, filter);
        int stride = CHANNELS * columns.count();
        byte[] out = new byte[stride * rows.count()];
        // The narrowed rows below an output row, and one more, because they are computed in pairs.
        int[][] narrowed = new int[rows.longest() + 1][stride];
        long[] pair = new long[CHANNELS * (columns.end() - columns.first())];
        int[] sums = new int[stride];
        int next = 0;
        for (int y = 0; y < rows.count(); y++) {
            int[] weights = rows.weights[y];
            int start = rows.start[y];
            for (next = Math.max(next, start); next < start + weights.length; next += 2) {
                pair(image, next, columns.first(), pair);
                narrow(pair, columns, narrowed[next % narrowed.length], narrowed[(next + 1) % narrowed.length]);
            }
            Arrays.fill(sums, HALF);
            for (int i = 0; i < weights.length; i++) {
                addProducts(narrowed[(start + i) % narrowed.length], weights[i], sums);
            }
            for (int x = 0; x < stride; x++) {
                out[y * stride + x] = (byte) limit(sums[x]);
            }
        }
        return new RgbImage(columns.count(), rows.count(), out);
    }

    /** Puts row {@code y} into the lower halves and the next one, if there is one, into the upper ones. */
    private static void pair(RgbImage image, int y, int firstColumn, long[] pair) {
        byte[] in = image.pixels();
        int lower = CHANNELS * (y * image.width() + firstColumn);
        int upper = y + 1 < image.height() ? lower + CHANNELS * image.width() : lower;
        for (int x = 0; x < pair.length; x++) {
            pair[x] = in[lower + x] & 0xff | (in[upper + x] & 0xffL) << Integer.SIZE;
        }
    }

    /**
     * The horizontal pass over two rows at once, one in the lower and one in the upper half of each number: one
     * multiplication and one addition do for both. A negative lower half borrows one from the upper.
     *
     * @param pair the samples of both rows, from the first that has a weight on
     * @param lower where the row in the lower halves goes
     * @param upper where the row in the upper halves goes
     */
    private static void narrow(long[] pair, Taps columns, int[] lower, int[] upper) {
        int origin = columns.first();
        for (int x = 0; x < columns.count(); x++) {
            int from = CHANNELS * (columns.start[x] - origin);
            long first = HALVES;
            long second = HALVES;
            long third = HALVES;
            for (int weight : columns.weights[x]) {
                first += pair[from] * weight;
                second += pair[from + 1] * weight;
                third += pair[from + 2] * weight;
                from += CHANNELS;
            }
            int to = CHANNELS * x;
            split(first, lower, upper, to);
            split(second, lower, upper, to + 1);
            split(third, lower, upper, to + 2);
        }
    }

    private static void split(long sums, int[] lower, int[] upper, int at) {
        int sum = (int) sums;
        lower[at] = limit(sum);
        upper[at] = limit((int) (sums - sum >> Integer.SIZE));
    }

    /** In a method of its own, so that the JVM computes it in vector registers. */
    private static void addProducts(int[] row, int weight, int[] sums) {
        for (int x = 0; x < sums.length; x++) {
            sums[x] += row[x] * weight;
        }
    }

    private static int limit(int sum) {
        return Math.max(0, Math.min(255, sum >> PRECISION_BITS));
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
