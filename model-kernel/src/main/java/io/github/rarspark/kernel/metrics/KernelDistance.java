package io.github.rarspark.kernel.metrics;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.rarspark.kernel.tensor.TensorScope;

/**
 * The kernel distance KID (Binkowski et al., "Demystifying MMD GANs", 2018): the unbiased squared maximum mean
 * discrepancy under the kernel {@code (x.y / D + 1)^3}.
 */
public final class KernelDistance {
    private KernelDistance() {}

    /**
     * The estimate over all rows at once.
     *
     * @param x features, row-major [rows, width], two rows or more
     * @param y features, row-major [rows, width], two rows or more
     */
    public static double unbiased(NDManager manager, float[] x, float[] y, int width) {
        int n = x.length / width;
        int m = y.length / width;
        if (n < 2 || m < 2) {
            throw new IllegalArgumentException(
                    "The unbiased estimate needs two images of each set, not " + n + " and " + m);
        }
        try (TensorScope s = TensorScope.inference(manager)) {
            NDArray x_ND = s.toFloat64(s.floats(x, n, width));
            NDArray y_MD = s.toFloat64(s.floats(y, m, width));
            double xx = offDiagonalSum(kernel(s, x_ND, x_ND, width), n) / ((double) n * (n - 1));
            double yy = offDiagonalSum(kernel(s, y_MD, y_MD, width), m) / ((double) m * (m - 1));
            double xy = sum(kernel(s, x_ND, y_MD, width)) / ((double) n * m);
            return xx + yy - 2 * xy;
        }
    }

    private static double[] kernel(TensorScope s, NDArray a, NDArray b, int width) {
        NDArray base = s.affine(s.matmul(a, s.permute(b, 1, 0)), 1.0 / width, 1);
        return s.multiply(base, s.multiply(base, base)).toDoubleArray();
    }

    private static double sum(double[] values) {
        double sum = 0;
        for (double value : values) {
            sum += value;
        }
        return sum;
    }

    private static double offDiagonalSum(double[] square, int side) {
        double sum = sum(square);
        for (int i = 0; i < side; i++) {
            sum -= square[i * side + i];
        }
        return sum;
    }
}
