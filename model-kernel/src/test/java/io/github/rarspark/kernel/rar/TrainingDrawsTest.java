package io.github.rarspark.kernel.rar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class TrainingDrawsTest {
    private static final TokenSpace SPACE = new TokenSpace(TinyRar.CODES, TinyRar.CLASSES);
    private static final int[] TARGET = ScanOrder.SPIRAL_IN.of(TinyRar.TOKENS);
    private static final TrainingDraws DRAWS = draws(7, new PermutationSchedule(100, 300), 0.1);
    /** Five standard deviations of a share of 20,000 draws are at most this. */
    private static final double FIVE_SIGMA = 0.018;

    private static final int SAMPLES = 20_000;

    private static TrainingDraws draws(long seed, PermutationSchedule schedule, double classDrop) {
        return new TrainingDraws(seed, SPACE, TARGET, schedule, classDrop);
    }

    @Test
    void permutationAnnealsLinearlyBetweenItsEndPoints() {
        PermutationSchedule schedule = new PermutationSchedule(100, 300);
        assertThat(LongStream.of(0, 99, 100, 101, 200, 299, 300, 301, Long.MAX_VALUE)
                        .mapToDouble(schedule::probability)
                        .toArray())
                .containsExactly(new double[] {1, 1, 1, 0.995, 0.5, 0.005, 0, 0, 0}, within(1e-12));
    }

    @Test
    void equalEndPointsAreASwitch() {
        assertThat(new PermutationSchedule(0, 0).probability(0)).isZero();
        PermutationSchedule random = new PermutationSchedule(50, 50);
        assertThat(random.probability(49)).isOne();
        assertThat(random.probability(50)).isZero();
    }

    @Test
    void theShareOfPermutedSamplesFollowsTheSchedule() {
        assertThat(permutedShare(DRAWS, 99)).isOne();
        assertThat(permutedShare(DRAWS, 150)).isCloseTo(0.75, within(FIVE_SIGMA));
        assertThat(permutedShare(DRAWS, 250)).isCloseTo(0.25, within(FIVE_SIGMA));
        assertThat(permutedShare(DRAWS, 300)).isZero();
        assertThat(permutedShare(draws(7, new PermutationSchedule(0, 0), 0.1), 0))
                .isZero();
    }

    @Test
    void permutedSamplesAreThoseInAnotherThanTheTargetOrder() {
        for (int row = 0; row < 1000; row++) {
            assertThat(DRAWS.isPermuted(200, row))
                    .as("row " + row)
                    .isEqualTo(!Arrays.equals(DRAWS.order(200, row), TARGET));
        }
    }

    private static double permutedShare(TrainingDraws draws, long step) {
        return IntStream.range(0, SAMPLES)
                        .filter(row -> !Arrays.equals(draws.order(step, row), TARGET))
                        .count()
                / (double) SAMPLES;
    }

    @Test
    void permutationsAreUniform() {
        int[] firsts = new int[TARGET.length];
        for (int row = 0; row < SAMPLES; row++) {
            int[] order = DRAWS.order(0, row);
            assertThat(Arrays.stream(order).sum()).isEqualTo(TARGET.length * (TARGET.length - 1) / 2);
            firsts[order[0]]++;
        }
        // 312.5 expected, with a deviation of 17.5.
        assertThat(Arrays.stream(firsts)).allMatch(count -> count > 225 && count < 400);
    }

    @Test
    void classesAreDroppedAtTheRate() {
        for (double rate : new double[] {0, 0.1, 1}) {
            TrainingDraws draws = draws(7, DRAWS.schedule(), rate);
            long[] conditions = IntStream.range(0, SAMPLES)
                    .mapToLong(row -> draws.condition(0, row, 3))
                    .toArray();
            assertThat(conditions).containsOnly(rate == 0 ? ids(3) : rate == 1 ? ids() : ids(3, -1));
            double share = Arrays.stream(conditions)
                            .filter(id -> id == SPACE.noClass())
                            .count()
                    / (double) SAMPLES;
            assertThat(share).isCloseTo(rate, within(FIVE_SIGMA));
        }
    }

    /** The ids of classes, and that of none for -1 or nothing. */
    private static long[] ids(int... labels) {
        return labels.length == 0
                ? new long[] {SPACE.noClass()}
                : Arrays.stream(labels)
                        .mapToLong(label -> label < 0 ? SPACE.noClass() : SPACE.classId(label))
                        .toArray();
    }

    @Test
    void aRowDrawsTheSameWhoeverAsks() {
        long[][] tokens = TinyRar.tokens(6);
        int[] labels = {0, 1, 2, 3, 4, 5};
        RarBatch whole = DRAWS.batch(150, 40, tokens, labels);
        for (int from = 0; from < 6; from += 2) {
            RarBatch part = DRAWS.batch(
                    150,
                    40 + from,
                    Arrays.copyOfRange(tokens, from, from + 2),
                    Arrays.copyOfRange(labels, from, from + 2));
            assertThat(part.tokens()).isDeepEqualTo(Arrays.copyOfRange(whole.tokens(), from, from + 2));
            assertThat(part.orders()).isDeepEqualTo(Arrays.copyOfRange(whole.orders(), from, from + 2));
            assertThat(part.conditions()).containsExactly(Arrays.copyOfRange(whole.conditions(), from, from + 2));
        }
    }

    @Test
    void tokensComeInTheOrderOfTheirPrediction() {
        long[][] tokens = TinyRar.tokens(3);
        RarBatch batch = DRAWS.batch(0, 0, tokens, new int[3]);
        for (int b = 0; b < 3; b++) {
            for (int k = 0; k < TinyRar.TOKENS; k++) {
                assertThat(batch.tokens()[b][k]).isEqualTo(tokens[b][batch.orders()[b][k]]);
            }
        }
    }

    @Test
    void seedsStepsAndRowsDrawDifferently() {
        int[] order = DRAWS.order(5, 6);
        assertThat(DRAWS.order(5, 6)).containsExactly(order);
        assertThat(DRAWS.order(5, 7)).isNotEqualTo(order);
        assertThat(DRAWS.order(6, 6)).isNotEqualTo(order);
        assertThat(draws(8, DRAWS.schedule(), 0.1).order(5, 6)).isNotEqualTo(order);
    }
}
