package io.github.rarspark.kernel.metrics;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.rarspark.kernel.tensor.TensorScope;
import java.util.List;

/**
 * The Frechet distance of two Gaussians (Heusel et al., "GANs trained by a two time-scale update rule", 2017): {@code
 * |m1 - m2|^2 + tr S1 + tr S2 - 2 tr sqrt(S1 S2)}.
 *
 * <p>With {@code S = A A^T}, the last trace is the sum of the singular values of {@code A1^T A2}. The factors are built
 * from the eigenvectors, except those whose eigenvalue is zero up to rounding, so covariances of any rank need no
 * regularization.
 */
public final class FrechetDistance {
    /** The distance from 1 to the next larger double. */
    private static final double EPSILON = Math.ulp(1.0);

    private FrechetDistance() {}

    /**
     * The distance.
     *
     * @throws IllegalArgumentException if the feature widths differ
     */
    public static double between(GaussianStatistics a, GaussianStatistics b, NDManager manager) {
        int width = a.width();
        if (b.width() != width) {
            throw new IllegalArgumentException("Cannot compare " + width + " features with " + b.width());
        }
        double distance = a.trace() + b.trace();
        for (int i = 0; i < width; i++) {
            double difference = a.mean()[i] - b.mean()[i];
            distance += difference * difference;
        }
        try (TensorScope s = TensorScope.inference(manager)) {
            NDArray product = s.matmul(s.permute(factor(s, a), 1, 0), factor(s, b));
            for (double value : s.singularValues(product).toDoubleArray()) {
                distance -= 2 * value;
            }
        }
        // A negative distance is rounding error.
        return Math.max(0, distance);
    }

    /** A [D, K] with A A^T = the covariance, K its rank, at least 1. */
    private static NDArray factor(TensorScope s, GaussianStatistics statistics) {
        int width = statistics.width();
        List<NDArray> eigen = s.eigenSymmetric(s.doubles(statistics.covariance(), width, width));
        double[] values = eigen.get(0).toDoubleArray();
        double limit = width * EPSILON * values[width - 1];
        int first = 0;
        while (first < width - 1 && values[first] <= limit) {
            first++;
        }
        double[] roots = new double[width - first];
        for (int i = 0; i < roots.length; i++) {
            roots[i] = Math.sqrt(Math.max(0, values[first + i]));
        }
        NDArray vectors_DK = s.narrow(eigen.get(1), 1, first, roots.length);
        return s.multiply(vectors_DK, s.doubles(roots, roots.length));
    }
}
