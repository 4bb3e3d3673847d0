package io.github.rarspark.kernel.random;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The pinned numbers were computed apart, in Python's unbounded integers; other processes rely on them. */
class RandomStreamTest {
    @Test
    void numbersOfAStreamNeverChange() {
        RandomStream stream = RandomStream.of(42, Purpose.SAMPLE_TOKENS, 3, 17);
        assertThat(new long[] {stream.nextLong(), stream.nextLong(), stream.nextLong()})
                .containsExactly(0x92581b4976dc0798L, 0x28a306349145027cL, 0xec25fd7c614430f6L);
        assertThat(RandomStream.of(0, Purpose.INITIAL_WEIGHTS).nextLong()).isEqualTo(0xabe677ed3a350e50L);
        RandomStream doubles = RandomStream.of(42, Purpose.SAMPLE_TOKENS, 3, 17);
        assertThat(doubles.nextDouble()).isEqualTo(0.5716568998676479);
        assertThat(doubles.nextDouble()).isEqualTo(0.1587375524843715);
    }

    @Test
    void purposesHaveDistinctNumbers() {
        assertThat(Arrays.stream(Purpose.values()).map(Purpose::id)).doesNotHaveDuplicates();
    }

    @Test
    void eachPartOfTheAddressChangesTheStream() {
        Set<Long> first = new HashSet<>();
        int streams = 0;
        for (long seed = 0; seed < 10; seed++) {
            for (Purpose purpose : Purpose.values()) {
                first.add(RandomStream.of(seed, purpose).nextLong());
                streams++;
                for (long i = 0; i < 10; i++) {
                    first.add(RandomStream.of(seed, purpose, i).nextLong());
                    first.add(RandomStream.of(seed, purpose, 0, i).nextLong());
                    streams += 2;
                }
            }
        }
        assertThat(first).hasSize(streams);
    }

    @Test
    void streamsSideBySideAreUniformAndIndependent() {
        int n = 20_000;
        double[] draws = new double[n];
        for (int i = 0; i < n; i++) {
            draws[i] = RandomStream.of(1, Purpose.DROPOUT, i).nextDouble();
        }
        assertThat(chiSquare(draws)).isLessThan(149); // 100 cells; passed by 99.9 % of uniform draws
        double covariance = 0;
        for (int i = 1; i < n; i++) {
            covariance += (draws[i] - 0.5) * (draws[i - 1] - 0.5) / n;
        }
        assertThat(covariance * 12).isCloseTo(0, within(4 / Math.sqrt(n)));
    }

    @Test
    void aStreamIsUniform() {
        RandomStream stream = RandomStream.of(5, Purpose.AUGMENT, 1);
        assertThat(chiSquare(stream, 20_000)).isLessThan(149);
    }

    @Test
    void integersCoverTheirRangeEvenly() {
        RandomStream stream = RandomStream.of(5, Purpose.AUGMENT, 2);
        int[] counts = new int[7];
        for (int i = 0; i < 70_000; i++) {
            counts[stream.nextInt(7)]++;
        }
        for (int count : counts) {
            assertThat(count).isBetween(9_600, 10_400);
        }
        assertThatThrownBy(() -> stream.nextInt(0)).hasMessage("Cannot draw below 0: the bound must be positive");
    }

    @Test
    void gaussiansHaveTheStandardMoments() {
        RandomStream stream = RandomStream.of(5, Purpose.INITIAL_WEIGHTS, 3);
        int n = 100_000;
        double mean = 0;
        double square = 0;
        for (int i = 0; i < n; i++) {
            double x = stream.nextGaussian();
            mean += x / n;
            square += x * x / n;
        }
        assertThat(mean).isCloseTo(0, within(0.013));
        assertThat(square).isCloseTo(1, within(0.018));
    }

    @Test
    void permutationsOfThreeAreEquallyFrequent() {
        int[] counts = new int[6];
        for (int i = 0; i < 6_000; i++) {
            int[] p = RandomStream.of(9, Purpose.PERMUTATION, 0, i).nextPermutation(3);
            counts[p[0] * 2 + (p[1] > p[2] ? 1 : 0)]++;
        }
        for (int count : counts) {
            assertThat(count).isBetween(880, 1_120);
        }
    }

    private static double chiSquare(RandomStream stream, int n) {
        double[] draws = new double[n];
        Arrays.setAll(draws, i -> stream.nextDouble());
        return chiSquare(draws);
    }

    private static double chiSquare(double[] draws) {
        int[] cells = new int[100];
        for (double draw : draws) {
            cells[(int) (draw * 100)]++;
        }
        double expected = draws.length / 100.0;
        return Arrays.stream(cells)
                .mapToDouble(c -> (c - expected) * (c - expected) / expected)
                .sum();
    }
}
