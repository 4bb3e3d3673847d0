package io.github.rarspark.kernel.metrics;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import io.github.rarspark.kernel.random.Purpose;
import io.github.rarspark.kernel.random.RandomStream;
import io.github.rarspark.kernel.tensor.TensorScope;

/**
 * The kernel distance KID (Binkowski et al., "Demystifying MMD GANs", 2018): the unbiased squared maximum mean
 * discrepancy under the kernel {@code (x.y / D + 1)^3}, in float64.
 *
 * @param mean of the estimates over random subsets
 * @param deviation of them, the square root of their mean squared distance from the mean
 */
public record KernelDistance(double mean, double deviation) {
    private static final int BLOCK_ROWS = 2048;

    /**
     * The estimate over all rows at once.
     *
     * @param x_ND features, two rows or more
     * @param y_MD features, two rows or more
     */
    public static double unbiased(NDManager manager, NDArray x_ND, NDArray y_MD) {
        long n = x_ND.getShape().get(0);
        long m = y_MD.getShape().get(0);
        if (n < 2 || m < 2) {
            throw new IllegalArgumentException(
                    "Cannot estimate KID from " + n + " and " + m + " images: at least 2 of each set are needed");
        }
        try (TensorScope s = TensorScope.inference(manager)) {
            double xx = (kernelSum(s, x_ND, x_ND) - diagonalSum(s, x_ND)) / ((double) n * (n - 1));
            double yy = (kernelSum(s, y_MD, y_MD) - diagonalSum(s, y_MD)) / ((double) m * (m - 1));
            double xy = kernelSum(s, x_ND, y_MD) / ((double) n * m);
            return xx + yy - 2 * xy;
        }
    }

    /**
     * Mean and deviation over random subsets, as in published tables.
     *
     * @param subsets the number of subsets
     * @param rows drawn from each set per subset, without replacement; at most the size of the smaller set
     * @param seed of the draws
     */
    public static KernelDistance overSubsets(
            NDManager manager, NDArray x_ND, NDArray y_MD, int subsets, int rows, long seed) {
        double[] estimates = new double[subsets];
        for (int i = 0; i < subsets; i++) {
            RandomStream random = RandomStream.of(seed, Purpose.METRIC_SUBSET, i);
            try (TensorScope s = TensorScope.inference(manager)) {
                NDArray x_RD = s.indexSelect(x_ND, 0, s.longs(draw(random, x_ND, rows), rows));
                NDArray y_RD = s.indexSelect(y_MD, 0, s.longs(draw(random, y_MD, rows), rows));
                estimates[i] = unbiased(manager, x_RD, y_RD);
            }
        }
        double mean = 0;
        for (double estimate : estimates) {
            mean += estimate / subsets;
        }
        double variance = 0;
        for (double estimate : estimates) {
            variance += (estimate - mean) * (estimate - mean) / subsets;
        }
        return new KernelDistance(mean, Math.sqrt(variance));
    }

    /** The first {@code rows} entries of a random permutation (Fisher and Yates). */
    private static long[] draw(RandomStream random, NDArray features_ND, int rows) {
        int count = Math.toIntExact(features_ND.getShape().get(0));
        long[] places = new long[count];
        for (int i = 0; i < count; i++) {
            places[i] = i;
        }
        long[] drawn = new long[rows];
        for (int i = 0; i < rows; i++) {
            int at = i + random.nextInt(count - i);
            drawn[i] = places[at];
            places[at] = places[i];
        }
        return drawn;
    }

    private static double kernelSum(TensorScope outer, NDArray x_ND, NDArray y_MD) {
        long n = x_ND.getShape().get(0);
        long m = y_MD.getShape().get(0);
        long width = x_ND.getShape().get(1);
        double sum = 0;
        for (long i = 0; i < n; i += BLOCK_ROWS) {
            try (TensorScope rows = outer.open()) {
                NDArray x_RD = rows.to(rows.narrow(x_ND, 0, i, Math.min(BLOCK_ROWS, n - i)), DataType.FLOAT64);
                for (long j = 0; j < m; j += BLOCK_ROWS) {
                    try (TensorScope s = rows.open()) {
                        NDArray y_RD = s.to(s.narrow(y_MD, 0, j, Math.min(BLOCK_ROWS, m - j)), DataType.FLOAT64);
                        sum += cubeSum(s, s.affine(s.matmul(x_RD, s.permute(y_RD, 1, 0)), 1.0 / width, 1));
                    }
                }
            }
        }
        return sum;
    }

    /** The sum of k(x, x) over the rows. */
    private static double diagonalSum(TensorScope outer, NDArray x_ND) {
        try (TensorScope s = outer.open()) {
            NDArray x = s.to(x_ND, DataType.FLOAT64);
            NDArray squares_N = s.sum(s.multiply(x, x), 1);
            return cubeSum(s, s.affine(squares_N, 1.0 / x_ND.getShape().get(1), 1));
        }
    }

    private static double cubeSum(TensorScope s, NDArray base) {
        double sum = 0;
        for (double cube : s.multiply(base, s.multiply(base, base)).toDoubleArray()) {
            sum += cube;
        }
        return sum;
    }
}
