package io.github.rarspark.kernel.optim;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.kernel.optim.StepClock.Phase;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class StepClockTest {
    private static final double SECONDS = 0.25;

    private final StepClock clock = new StepClock();

    /** Computes for a while. */
    private static void compute() {
        long end = System.nanoTime() + (long) (SECONDS * 1e9);
        while (System.nanoTime() < end) {
            Thread.onSpinWait();
        }
    }

    /** Waits for what does not come, as for another rank. */
    private static void await() throws InterruptedException {
        assertThat(new CountDownLatch(1).await((long) (SECONDS * 1000), TimeUnit.MILLISECONDS))
                .isFalse();
    }

    @Test
    void eachPhaseEndsWhereTheNextBegins() throws Exception {
        clock.begin(Phase.DATA);
        clock.begin(Phase.FORWARD);
        await();
        clock.begin(Phase.OPTIMIZER);
        clock.end();
        await();
        clock.end();
        Map<Phase, Double> seconds = clock.take();
        assertThat(seconds).containsOnlyKeys(Phase.values());
        assertThat(seconds.get(Phase.FORWARD)).isGreaterThanOrEqualTo(SECONDS);
        assertThat(seconds.get(Phase.DATA)).isPositive();
        assertThat(seconds.get(Phase.OPTIMIZER)).isPositive().isLessThan(seconds.get(Phase.FORWARD));
        assertThat(seconds.get(Phase.BACKWARD)).isZero();
        assertThat(clock.take().values()).as("taken before").containsOnly(0.0);
    }

    /** On a busy machine the computation also waits for a core, which is not a wait for other ranks. */
    @Test
    void sleepInTheBackwardPassIsAWaitForAllReduces() throws Exception {
        for (int pass = 0; pass < 2; pass++) {
            clock.begin(Phase.BACKWARD);
            compute();
            await();
            clock.end();
        }
        Map<Phase, Double> seconds = clock.take();
        assertThat(seconds.get(Phase.ALL_REDUCE)).isGreaterThan(1.9 * SECONDS);
        assertThat(seconds.get(Phase.BACKWARD)).isGreaterThan(1.9 * SECONDS);
        clock.begin(Phase.BACKWARD);
        compute();
        clock.end();
        assertThat(clock.take().get(Phase.ALL_REDUCE)).isLessThan(0.1 * SECONDS);
    }
}
