package io.github.rarspark.kernel.optim;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import io.github.rarspark.kernel.optim.StepClock.Phase;
import io.github.rarspark.kernel.testing.FakeGpus;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class StepClockTest {
    private static final long SECOND = 1_000_000_000;

    private long nanos;
    private long awakeNanos;
    private final StepClock clock = new StepClock(() -> nanos, Optional.of(() -> awakeNanos), () -> {});

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
    void theSleepOfAThreadInAReducedPassIsAllReduce() {
        clock.begin();
        clock.endReduced(() -> {
            nanos += 10 * SECOND;
            awakeNanos += 7 * SECOND;
        });
        assertThat(clock.take()).containsExactly(0, 0, 7, 3, 0);
        clock.endReduced(() -> {
            nanos += SECOND;
            awakeNanos += SECOND + 1; // clocks of different resolution
        });
        assertThat(clock.take()).containsExactly(0, 0, 1, 0, 0);
    }

    @Test
    void aPhaseEndsWhenTheDeviceHasDoneItsWork() {
        long[] queued = {7 * SECOND}; // by whatever was before
        StepClock ofGpu = new StepClock(() -> nanos, Optional.empty(), () -> {
            nanos += queued[0];
            queued[0] = 0;
        });
        ofGpu.begin();
        queued[0] = 2 * SECOND;
        ofGpu.end(Phase.FORWARD);
        ofGpu.endReduced(() -> queued[0] = 4 * SECOND);
        queued[0] = SECOND;
        ofGpu.end(Phase.OPTIMIZER);
        assertThat(ofGpu.take()).containsExactly(0, 2, 4, 0, 1);
    }

    @Test
    @Tag("gpu")
    void itWaitsForTheGpuOfTheRank() {
        StepClock ofGpu = StepClock.ofThread(Device.gpu(1));
        assertThat(FakeGpus.countsOf(() -> {
                    ofGpu.begin();
                    ofGpu.end(Phase.DATA);
                    ofGpu.endReduced(() -> {});
                }))
                .containsEntry("synchronize", 3L);
        assertThat(ofGpu.take()[Phase.ALL_REDUCE.ordinal()]).isZero();
    }

    @Test
    void aThreadThatWaitsSleeps() throws InterruptedException {
        StepClock real = StepClock.ofThread(Device.cpu());
        CountDownLatch never = new CountDownLatch(1);
        real.begin();
        real.endReduced(() -> {
            try {
                assertThat(never.await(200, TimeUnit.MILLISECONDS)).isFalse();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        assertThat(real.take()[Phase.ALL_REDUCE.ordinal()]).isGreaterThan(0.15);
    }

    /**
     * On a busy machine it also waits for a core, which is no wait for other ranks. What the host of a virtual machine takes
     * from it looks like sleep, but not five times in a row.
     */
    @Test
    void aThreadThatComputesDoesNotSleep() {
        StepClock real = StepClock.ofThread(Device.cpu());
        double[] slept =
                IntStream.range(0, 5).mapToDouble(i -> sleepOfASpin(real)).toArray();
        assertThat(Arrays.stream(slept).min().getAsDouble()).isLessThan(0.02);
    }

    private static double sleepOfASpin(StepClock real) {
        real.begin();
        real.endReduced(() -> {
            long end = System.nanoTime() + SECOND / 5;
            while (System.nanoTime() < end) {
                Thread.onSpinWait();
            }
        });
        double[] seconds = real.take();
        assertThat(seconds[Phase.BACKWARD.ordinal()] + seconds[Phase.ALL_REDUCE.ordinal()])
                .isGreaterThan(0.18);
        return seconds[Phase.ALL_REDUCE.ordinal()];
    }
}
