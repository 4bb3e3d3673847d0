package io.github.rarspark.kernel.metrics;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import io.github.rarspark.kernel.error.NumericException;
import io.github.rarspark.kernel.tensor.TensorScope;
import java.io.Serializable;

/**
 * Count, mean and scatter (the sum of squared deviations from the mean) of rows of features, in float64. Partial
 * moments are combined by a numerically stable formula (Chan, Golub and LeVeque, "Updating formulae", 1979); as with
 * any floating-point sum, the last bits depend on the order. Not thread-safe.
 */
public final class Moments implements Serializable {
    private final int width;
    private long count;
    private final double[] mean;
    /** The lower triangle, row by row. */
    private final double[] scatter;

    private Moments(int width, long count, double[] mean, double[] scatter) {
        this.width = width;
        this.count = count;
        this.mean = mean;
        this.scatter = scatter;
    }

    /** Moments of zero rows. */
    public static Moments empty(int width) {
        return new Moments(width, 0, new double[width], new double[width * (width + 1) / 2]);
    }

    /**
     * The moments of features, row-major [rows, width].
     *
     * @throws NumericException if a feature is not finite
     */
    public static Moments of(NDManager manager, float[] features, int width) {
        int rows = features.length / width;
        if (rows == 0) {
            return empty(width);
        }
        for (float feature : features) {
            if (!Float.isFinite(feature)) {
                throw new NumericException("A feature is " + feature + ": check the network's weights");
            }
        }
        double[] full;
        double[] mean;
        try (TensorScope s = TensorScope.inference(manager)) {
            NDArray x_RD = s.to(s.floats(features, rows, width), DataType.FLOAT64);
            NDArray mean_D = s.mean(x_RD, 0);
            NDArray centred_RD = s.subtract(x_RD, mean_D);
            full = s.matmul(s.permute(centred_RD, 1, 0), centred_RD).toDoubleArray();
            mean = mean_D.toDoubleArray();
        }
        double[] scatter = new double[width * (width + 1) / 2];
        for (int i = 0, at = 0; i < width; i++) {
            for (int j = 0; j <= i; j++) {
                scatter[at++] = full[i * width + j];
            }
        }
        return new Moments(width, rows, mean, scatter);
    }

    /** The number of features per row. */
    public int width() {
        return width;
    }

    /** The number of rows. */
    public long count() {
        return count;
    }

    /** Adds the rows of {@code other}. */
    public void add(Moments other) {
        if (other.width != width) {
            throw new IllegalArgumentException("Cannot combine features of width " + width + " and " + other.width);
        }
        if (other.count == 0) {
            return;
        }
        long total = count + other.count;
        double weight = (double) count * other.count / total;
        for (int i = 0, at = 0; i < width; i++) {
            double shift = other.mean[i] - mean[i];
            for (int j = 0; j <= i; j++, at++) {
                scatter[at] += other.scatter[at] + weight * shift * (other.mean[j] - mean[j]);
            }
        }
        double share = (double) other.count / total;
        for (int i = 0; i < width; i++) {
            mean[i] += share * (other.mean[i] - mean[i]);
        }
        count = total;
    }

    /**
     * Mean and covariance.
     *
     * @throws IllegalStateException if there are fewer than two rows
     */
    public GaussianStatistics statistics() {
        if (count < 2) {
            throw new IllegalStateException(
                    "Cannot compute a covariance of " + count + " images: at least 2 are needed");
        }
        double[] covariance = new double[width * width];
        for (int i = 0, at = 0; i < width; i++) {
            for (int j = 0; j <= i; j++, at++) {
                covariance[i * width + j] = scatter[at] / (count - 1);
                covariance[j * width + i] = scatter[at] / (count - 1);
            }
        }
        return new GaussianStatistics(mean.clone(), covariance);
    }
}
