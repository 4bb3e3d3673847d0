package io.github.rarspark.kernel.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.rarspark.kernel.random.Purpose;
import io.github.rarspark.kernel.random.RandomStream;
import io.github.rarspark.kernel.tensor.TensorScope;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The metrics that need all images of a set. */
@Tag("device")
class SetMetricsTest {
    private static final int WIDTH = 3;

    private final NDManager manager = NDManager.newBaseManager();

    @AfterEach
    void close() {
        assertThat(manager.getManagedArrays()).isEmpty();
        manager.close();
    }

    @Test
    void subsetsOfAllRowsEstimateTheSameAsTheWhole() {
        try (TensorScope s = TensorScope.inference(manager)) {
            NDArray x = features(s, 1, 30, 0);
            NDArray y = features(s, 2, 30, 1);
            double whole = KernelDistance.unbiased(manager, x, y);
            KernelDistance all = KernelDistance.overSubsets(manager, x, y, 4, 30, 0);
            assertThat(whole).isPositive();
            assertThat(all.mean()).isCloseTo(whole, within(1e-12));
            assertThat(all.deviation()).isCloseTo(0, within(1e-12));
        }
    }

    @Test
    void subsetsAreDrawnFromTheSeed() {
        try (TensorScope s = TensorScope.inference(manager)) {
            NDArray x = features(s, 1, 60, 0);
            NDArray y = features(s, 2, 50, 1);
            KernelDistance once = KernelDistance.overSubsets(manager, x, y, 20, 20, 0);
            assertThat(KernelDistance.overSubsets(manager, x, y, 20, 20, 0)).isEqualTo(once);
            assertThat(KernelDistance.overSubsets(manager, x, y, 20, 20, 1)).isNotEqualTo(once);
            double whole = KernelDistance.unbiased(manager, x, y);
            assertThat(once.deviation()).isPositive();
            assertThat(once.mean()).isCloseTo(whole, within(3 * once.deviation()));
        }
    }

    @Test
    void blocksAddUpToTheWhole() {
        int rows = 2500;
        try (TensorScope s = TensorScope.inference(manager)) {
            float[] x = values(1, rows, 0);
            float[] y = values(2, 10, 1);
            double estimate = KernelDistance.unbiased(manager, s.floats(x, rows, WIDTH), s.floats(y, 10, WIDTH));
            double xx = 0;
            for (int i = 0; i < rows; i++) {
                for (int j = 0; j < rows; j++) {
                    xx += i == j ? 0 : kernel(x, i, x, j) / ((double) rows * (rows - 1));
                }
            }
            double yy = 0;
            double xy = 0;
            for (int i = 0; i < 10; i++) {
                for (int j = 0; j < 10; j++) {
                    yy += i == j ? 0 : kernel(y, i, y, j) / 90;
                }
                for (int j = 0; j < rows; j++) {
                    xy += kernel(y, i, x, j) / (10.0 * rows);
                }
            }
            assertThat(estimate).isCloseTo(xx + yy - 2 * xy, within(1e-9));
        }
    }

    @Test
    void aPointOnTheEdgeOfABallIsInside() {
        try (TensorScope s = TensorScope.inference(manager)) {
            NDArray reference = s.floats(new float[] {0, 1, 3}, 3, 1);
            NDArray samples = s.floats(new float[] {-1, 5.5f, 10}, 3, 1);
            // Radii of the reference: 1, 1, 2 (k = 1); of the samples: 6.5, 4.5, 4.5.
            PrecisionRecall result = PrecisionRecall.of(manager, reference, samples, 1);
            assertThat(result.precision()).isCloseTo(1 / 3.0, within(1e-15));
            assertThat(result.recall()).isEqualTo(1);
            assertThatThrownBy(() -> PrecisionRecall.of(manager, reference, samples, 3))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("3 neighbours among 3");
        }
    }

    @Test
    void certainAndDifferentClassesScoreTheirNumber() {
        InceptionScore score = new InceptionScore(4, 4);
        for (int i = 0; i < 8; i++) {
            double[] logits = new double[4];
            logits[i % 4] = 1000;
            score.add(logits, 0);
        }
        assertThat(score.mean()).isCloseTo(4, within(1e-12));
    }

    @Test
    void splitsAreConsecutiveAndAShorterLastOneCounts() {
        InceptionScore sorted = new InceptionScore(2, 2);
        InceptionScore whole = new InceptionScore(2, 10);
        for (int classId : new int[] {0, 0, 1, 1, 0}) {
            double[] logits = new double[3];
            logits[1 + classId] = 1000;
            sorted.add(logits, 1);
            whole.add(logits, 1);
        }
        assertThat(sorted.mean()).as("within a split all images are alike").isEqualTo(1);
        double entropy = -0.6 * Math.log(0.6) - 0.4 * Math.log(0.4);
        assertThat(whole.mean()).isCloseTo(Math.exp(entropy), within(1e-12));
        assertThatThrownBy(() -> new InceptionScore(2, 2).mean()).isInstanceOf(IllegalStateException.class);
    }

    private static NDArray features(TensorScope s, long seed, int rows, double shift) {
        return s.floats(values(seed, rows, shift), rows, WIDTH);
    }

    private static float[] values(long seed, int rows, double shift) {
        RandomStream random = RandomStream.of(seed, Purpose.SPLIT);
        float[] values = new float[rows * WIDTH];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (random.nextGaussian() + shift);
        }
        return values;
    }

    private static double kernel(float[] a, int i, float[] b, int j) {
        double product = 0;
        for (int k = 0; k < WIDTH; k++) {
            product += (double) a[i * WIDTH + k] * b[j * WIDTH + k];
        }
        return Math.pow(product / WIDTH + 1, 3);
    }
}
