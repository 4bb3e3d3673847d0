package io.github.rarspark.kernel.metrics;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.rarspark.kernel.tensor.TensorScope;
import java.util.Arrays;

/**
 * Improved precision and recall (Kynkaanniemi et al., 2019). Every point has a ball whose radius is the distance to its
 * k-th nearest neighbour in its own set; distances are squared, in float32.
 *
 * @param precision the share of samples inside some ball of the reference
 * @param recall the share of the reference inside some ball of the samples
 */
public record PrecisionRecall(double precision, double recall) {
    private static final int BLOCK_ROWS = 256;

    /**
     * Compares two sets of features.
     *
     * @param reference_ND float32 features
     * @param samples_MD float32 features
     * @param neighbours k, smaller than the number of rows of either set
     */
    public static PrecisionRecall of(NDManager manager, NDArray reference_ND, NDArray samples_MD, int neighbours) {
        float[] referenceRadii = radii(manager, reference_ND, neighbours);
        float[] sampleRadii = radii(manager, samples_MD, neighbours);
        boolean[] sampleInside = new boolean[sampleRadii.length];
        boolean[] referenceInside = new boolean[referenceRadii.length];
        forEachDistance(manager, reference_ND, samples_MD, (i, distances, at) -> {
            for (int j = 0; j < sampleInside.length; j++) {
                sampleInside[j] |= distances[at + j] <= referenceRadii[i];
                referenceInside[i] |= distances[at + j] <= sampleRadii[j];
            }
        });
        return new PrecisionRecall(share(sampleInside), share(referenceInside));
    }

    /** Distance of each point to its k-th nearest neighbour. */
    private static float[] radii(NDManager manager, NDArray points_ND, int neighbours) {
        int rows = rows(points_ND);
        if (neighbours < 1 || neighbours >= rows) {
            throw new IllegalArgumentException("Cannot find " + neighbours + " neighbours among " + rows + " images");
        }
        float[] radii = new float[rows];
        forEachDistance(manager, points_ND, points_ND, (i, distances, at) -> {
            // The nearest is the point itself.
            float[] smallest = new float[neighbours + 1];
            Arrays.fill(smallest, Float.POSITIVE_INFINITY);
            for (int j = 0; j < rows; j++) {
                insert(smallest, distances[at + j]);
            }
            radii[i] = smallest[neighbours];
        });
        return radii;
    }

    private static void insert(float[] ascending, float value) {
        int place = ascending.length - 1;
        if (value >= ascending[place]) {
            return;
        }
        for (; place > 0 && ascending[place - 1] > value; place--) {
            ascending[place] = ascending[place - 1];
        }
        ascending[place] = value;
    }

    @FunctionalInterface
    private interface Row {
        /** Takes the distances of point {@code i} to all others, which begin at {@code at}. */
        void accept(int i, float[] distances, int at);
    }

    private static void forEachDistance(NDManager manager, NDArray from_ND, NDArray to_MD, Row row) {
        int rows = rows(from_ND);
        int columns = rows(to_MD);
        try (TensorScope outer = TensorScope.inference(manager)) {
            NDArray toNorms_M = squaredNorms(outer, to_MD);
            NDArray to_DM = outer.permute(to_MD, 1, 0);
            for (int start = 0; start < rows; start += BLOCK_ROWS) {
                int count = Math.min(BLOCK_ROWS, rows - start);
                float[] distances;
                try (TensorScope s = outer.open()) {
                    NDArray from_BD = s.narrow(from_ND, 0, start, count);
                    NDArray norms_B1 = s.reshape(squaredNorms(s, from_BD), count, 1);
                    NDArray sums_BM = s.add(s.add(norms_B1, s.affine(s.matmul(from_BD, to_DM), -2, 0)), toNorms_M);
                    distances = s.relu(sums_BM).toFloatArray();
                }
                for (int i = 0; i < count; i++) {
                    row.accept(start + i, distances, i * columns);
                }
            }
        }
    }

    private static NDArray squaredNorms(TensorScope s, NDArray x_ND) {
        return s.sum(s.multiply(x_ND, x_ND), 1);
    }

    private static int rows(NDArray x_ND) {
        return Math.toIntExact(x_ND.getShape().get(0));
    }

    private static double share(boolean[] inside) {
        int count = 0;
        for (boolean in : inside) {
            count += in ? 1 : 0;
        }
        return (double) count / inside.length;
    }
}
