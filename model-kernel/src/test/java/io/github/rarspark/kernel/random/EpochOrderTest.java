package io.github.rarspark.kernel.random;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EpochOrderTest {
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 10, 16, 17, 1000, 1024, 1025, 12345})
    void everySampleComesOnce(long n) {
        for (long epoch = 0; epoch < 3; epoch++) {
            EpochOrder order = new EpochOrder(7, epoch, n);
            assertThat(LongStream.range(0, n).map(order::sampleAt).sorted())
                    .containsExactly(LongStream.range(0, n).boxed().toArray(Long[]::new));
        }
    }

    @Test
    void ordersNeverChange() {
        assertThat(orderOf(7, 0, 10)).containsExactly(2, 5, 7, 4, 6, 0, 8, 9, 3, 1);
        assertThat(orderOf(7, 1, 10)).containsExactly(3, 1, 6, 4, 8, 7, 9, 0, 5, 2);
    }

    @Test
    void epochsAndSeedsDiffer() {
        assertThat(orderOf(7, 0, 1000)).isNotEqualTo(orderOf(7, 1, 1000)).isNotEqualTo(orderOf(8, 0, 1000));
    }

    @Test
    void ordersOfThreeAreEquallyFrequent() {
        Map<String, Integer> counts = new HashMap<>();
        for (int seed = 0; seed < 6_000; seed++) {
            counts.merge(Arrays.toString(orderOf(seed, 0, 3)), 1, Integer::sum);
        }
        assertThat(counts).hasSize(6);
        assertThat(counts.values()).allSatisfy(count -> assertThat(count).isBetween(880, 1_120));
    }

    @Test
    void neighboursAreNotKept() {
        long[] order = orderOf(3, 0, 10_000);
        long kept = LongStream.range(1, order.length)
                .filter(i -> order[(int) i] == order[(int) i - 1] + 1)
                .count();
        assertThat(kept).isLessThan(10); // 1 is expected
    }

    @Test
    void hugeDataSetsNeedNoMemory() {
        EpochOrder order = new EpochOrder(1, 2, 1L << 40);
        assertThat(order.sampleAt((1L << 40) - 1)).isBetween(0L, (1L << 40) - 1);
    }

    @Test
    void positionsOutsideAreRefused() {
        EpochOrder order = new EpochOrder(1, 2, 10);
        assertThatThrownBy(() -> order.sampleAt(10)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> order.sampleAt(-1)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> new EpochOrder(1, 2, 0)).hasMessage("Cannot order 0 samples: expected 1 to 2^62");
    }

    private static long[] orderOf(long seed, long epoch, int n) {
        EpochOrder order = new EpochOrder(seed, epoch, n);
        return LongStream.range(0, n).map(order::sampleAt).toArray();
    }
}
