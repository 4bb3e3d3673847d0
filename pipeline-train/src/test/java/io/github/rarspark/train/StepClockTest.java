package io.github.rarspark.train;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.train.StepClock.Phase;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class StepClockTest {
    private static final long SECOND = 1_000_000_000;

    private long nanos;
    private long cpuNanos;
    private final StepClock clock = new StepClock(() -> nanos, () -> cpuNanos);

    @Test
    void timeIsCountedFromTheBeginningOfAStepAndByPhase() {
        nanos += 5 * SECOND; // a checkpoint, say
        clock.begin();
        nanos += SECOND;
        clock.end(Phase.DATA);
        nanos += 2 * SECOND;
        clock.end(Phase.FORWARD);
        nanos += 3 * SECOND;
        clock.end(Phase.DATA);
        assertThat(clock.take()).containsExactly(4, 2, 0, 0, 0);
        assertThat(clock.take()).containsExactly(0, 0, 0, 0, 0);
    }

    @Test
    void whatAThreadDoesNotComputeInAReducedPassIsAllReduce() {
        clock.begin();
        clock.endReduced(() -> {
            nanos += 10 * SECOND;
            cpuNanos += 7 * SECOND;
        });
        assertThat(clock.take()).containsExactly(0, 0, 7, 3, 0);
        clock.endReduced(() -> {
            nanos += SECOND;
            cpuNanos += SECOND + 1; // clocks of different resolution
        });
        assertThat(clock.take()).containsExactly(0, 0, 1, 0, 0);
    }

    @Test
    void aThreadThatWaitsDoesNotCompute() throws InterruptedException {
        StepClock real = StepClock.ofThread();
        CountDownLatch never = new CountDownLatch(1);
        real.begin();
        real.endReduced(() -> {
            try {
                assertThat(never.await(200, TimeUnit.MILLISECONDS)).isFalse();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        double[] seconds = real.take();
        assertThat(seconds[Phase.ALL_REDUCE.ordinal()]).isGreaterThan(0.15);
        assertThat(seconds[Phase.BACKWARD.ordinal()]).isLessThan(0.1);
    }
}
