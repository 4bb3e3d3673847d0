package io.github.rarspark.train;

import ai.djl.ndarray.NDArray;
import io.github.rarspark.kernel.optim.StepClock;
import io.github.rarspark.kernel.optim.StepClock.Phase;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.train.coordinator.Report;
import java.io.IOException;

/** Tells the driver how the training goes: losses, gradient norm, learning rate, speed, and where the time goes. */
final class StepMetrics {
    private final RankContext context;
    private final StepClock clock;
    private final TrainState state;
    private long lastNanos = System.nanoTime();
    private long lastStep;

    /**
     * Begins to measure.
     *
     * @param clock of the rank's phases
     * @param state counts the updates
     */
    StepMetrics(RankContext context, StepClock clock, TrainState state) {
        this.context = context;
        this.clock = clock;
        this.state = state;
        this.lastStep = state.step();
    }

    /** Reports the update that was made last; all ranks take part, for the sums over all of them. */
    void report(long step, TrainStep.Update update) throws IOException {
        long now = System.nanoTime();
        double seconds = Math.max(1e-9, (now - lastNanos) / 1e9);
        double images = (double) (step - lastStep) * context.settings().batch();
        lastNanos = now;
        lastStep = step;
        LossSplit split = update.split();
        double[] phases = clock.take();
        double[] sums = sumOverRanks(
                update.loss(),
                split.permuted(),
                split.permutedRows(),
                split.scanOrder(),
                split.scanOrderRows(),
                seconds,
                phases[Phase.DATA.ordinal()],
                phases[Phase.FORWARD.ordinal()],
                phases[Phase.BACKWARD.ordinal()],
                phases[Phase.ALL_REDUCE.ordinal()],
                phases[Phase.OPTIMIZER.ordinal()]);
        context.report(new Report.Progress(
                step,
                sums[0] / context.group().worldSize(),
                mean(sums[1], sums[2]),
                mean(sums[3], sums[4]),
                update.permutationProbability(),
                update.learningRate(),
                update.gradientNorm(),
                images / seconds,
                new Report.TimeShares(
                        sums[6] / sums[5], sums[7] / sums[5], sums[8] / sums[5], sums[9] / sums[5], sums[10] / sums[5]),
                state.counter().skipped(),
                context.assignment().restart()));
    }

    private static Double mean(double sum, double count) {
        return count == 0 ? null : sum / count;
    }

    private double[] sumOverRanks(double... values) {
        try (TensorScope s = TensorScope.inference(context.manager())) {
            NDArray sum = s.doubles(values, values.length);
            context.group().allReduceSum(sum);
            return sum.toDoubleArray();
        }
    }
}
