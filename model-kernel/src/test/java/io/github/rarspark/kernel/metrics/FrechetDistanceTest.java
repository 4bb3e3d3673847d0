package io.github.rarspark.kernel.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDManager;
import io.github.rarspark.kernel.error.NumericException;
import io.github.rarspark.kernel.random.Purpose;
import io.github.rarspark.kernel.random.RandomStream;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("device")
class FrechetDistanceTest {
    private static final int WIDTH = 5;

    private final NDManager manager = NDManager.newBaseManager();

    @AfterEach
    void close() {
        assertThat(manager.getManagedArrays()).isEmpty();
        manager.close();
    }

    @Test
    void diagonalGaussiansHaveAClosedForm() {
        GaussianStatistics a = new GaussianStatistics(new double[] {1, 2}, new double[] {4, 0, 0, 9});
        GaussianStatistics b = new GaussianStatistics(new double[] {0, 4}, new double[] {1, 0, 0, 16});
        // |(1, -2)|^2 + (2 - 1)^2 + (3 - 4)^2
        assertThat(FrechetDistance.between(a, b, manager)).isCloseTo(7, within(1e-12));
    }

    @Test
    void aSetIsNoDistanceFromItself() {
        GaussianStatistics all = Moments.of(manager, features(40), WIDTH).statistics();
        assertThat(FrechetDistance.between(all, all, manager)).isCloseTo(0, within(1e-13));
    }

    @Test
    void covariancesOfRankOneNeedNoCorrection() {
        GaussianStatistics a = new GaussianStatistics(new double[2], new double[] {1, 1, 1, 1});
        GaussianStatistics b = new GaussianStatistics(new double[2], new double[] {4, 4, 4, 4});
        // Along the diagonal the deviations are sqrt 2 and 2 sqrt 2.
        assertThat(FrechetDistance.between(a, b, manager)).isCloseTo(2, within(1e-12));
        GaussianStatistics across = new GaussianStatistics(new double[2], new double[] {1, -1, -1, 1});
        assertThat(FrechetDistance.between(a, across, manager)).isCloseTo(4, within(1e-12));
    }

    @Test
    void noVarianceAtAllLeavesTheMeans() {
        GaussianStatistics a = new GaussianStatistics(new double[] {3, 0}, new double[4]);
        GaussianStatistics b = new GaussianStatistics(new double[] {0, 4}, new double[4]);
        assertThat(FrechetDistance.between(a, b, manager)).isEqualTo(25);
    }

    @Test
    void partsCombineToTheWhole() {
        float[] all = features(60);
        Moments parts = Moments.empty(WIDTH);
        for (int[] range : new int[][] {{0, 7}, {7, 7}, {7, 40}, {40, 60}}) {
            parts.add(Moments.of(manager, Arrays.copyOfRange(all, range[0] * WIDTH, range[1] * WIDTH), WIDTH));
        }
        GaussianStatistics combined = parts.statistics();
        GaussianStatistics whole = Moments.of(manager, all, WIDTH).statistics();
        assertThat(parts.count()).isEqualTo(60);
        assertThat(combined.mean()).containsExactly(whole.mean(), within(1e-12));
        assertThat(combined.covariance()).containsExactly(whole.covariance(), within(1e-11));
        assertThat(whole.covariance()[1]).isEqualTo(whole.covariance()[WIDTH]);
    }

    @Test
    void theCovarianceDividesByOneLess() {
        assertThat(Moments.of(manager, new float[] {1, 3}, 1).statistics().covariance())
                .containsExactly(2);
    }

    @Test
    void whatCannotBeComparedIsRefused() {
        assertThatThrownBy(() -> Moments.of(manager, new float[] {1, Float.NaN}, 1))
                .isInstanceOf(NumericException.class)
                .hasMessageContaining("NaN");
        assertThatThrownBy(() -> Moments.of(manager, new float[] {1}, 1).statistics())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("at least 2");
        GaussianStatistics one = new GaussianStatistics(new double[1], new double[1]);
        GaussianStatistics two = new GaussianStatistics(new double[2], new double[4]);
        assertThatThrownBy(() -> FrechetDistance.between(one, two, manager))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("1 features with 2");
    }

    /** Far from the origin, where sums of squares would lose digits. */
    private static float[] features(int rows) {
        RandomStream random = RandomStream.of(3, Purpose.SPLIT);
        float[] features = new float[rows * WIDTH];
        for (int i = 0; i < features.length; i++) {
            features[i] = (float) (100 + random.nextGaussian() * (1 + i % WIDTH));
        }
        return features;
    }
}
