package io.github.rarspark.kernel.metrics;

/**
 * Mean and covariance of features.
 *
 * @param mean {@code [D]}
 * @param covariance {@code [D, D]} row-major, symmetric, divided by n - 1
 */
public record GaussianStatistics(double[] mean, double[] covariance) {
    /** Checks that the sizes agree. */
    public GaussianStatistics {
        if (mean.length == 0 || covariance.length != mean.length * mean.length) {
            throw new IllegalArgumentException("Cannot combine a mean of " + mean.length
                    + " features with a covariance of " + covariance.length + " entries");
        }
    }

    /** The number D of features. */
    public int width() {
        return mean.length;
    }

    /** The trace of the covariance. */
    public double trace() {
        double trace = 0;
        for (int i = 0; i < mean.length; i++) {
            trace += covariance[i * mean.length + i];
        }
        return trace;
    }
}
