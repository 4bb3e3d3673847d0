package io.github.rarspark.kernel.golden;

/**
 * One comparison of a golden case.
 *
 * @param name what is compared
 * @param maxError the largest deviation, in the unit of the tolerance; {@link Double#MAX_VALUE}, which json can hold,
 *     where it is infinite or not a number
 * @param tolerance the largest deviation allowed
 * @param passed whether the deviation is within the tolerance; never for NaN
 */
public record Check(String name, double maxError, double tolerance, boolean passed) {
    /** Passes if the error is a number and at most the tolerance. */
    public static Check within(String name, double maxError, double tolerance) {
        double stated = Double.isFinite(maxError) ? maxError : Double.MAX_VALUE;
        return new Check(name, stated, tolerance, maxError <= tolerance);
    }

    /** A comparison that could not be made. */
    public static Check failed(String name) {
        return within(name, Double.NaN, 0);
    }

    /** Compares elementwise; the tolerance is {@code limit} times the largest expected magnitude, or times 1 if less. */
    public static Check relativeToLargest(String name, double[] actual, double[] expected, double limit) {
        return within(name, maxDifference(actual, expected), limit * Math.max(1, largest(expected)));
    }

    /** The largest absolute difference; infinite if the lengths differ, NaN if any entry is. */
    public static double maxDifference(double[] actual, double[] expected) {
        if (actual.length != expected.length) {
            return Double.POSITIVE_INFINITY;
        }
        double max = 0;
        for (int i = 0; i < actual.length; i++) {
            max = Math.max(max, Math.abs(actual[i] - expected[i]));
        }
        return max;
    }

    /** The largest absolute value. */
    public static double largest(double[] values) {
        double max = 0;
        for (double value : values) {
            max = Math.max(max, Math.abs(value));
        }
        return max;
    }
}
