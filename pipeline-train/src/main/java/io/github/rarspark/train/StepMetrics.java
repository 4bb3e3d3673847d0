package io.github.rarspark.train;

import ai.djl.ndarray.NDArray;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.train.coordinator.Report;
import java.io.IOException;

/** Tells the driver how the training goes: loss, gradient norm, learning rate, images per second. */
final class StepMetrics {
    private final RankContext context;
    private long lastNanos = System.nanoTime();
    private long lastStep;

    /** @param step the updates made so far */
    StepMetrics(RankContext context, long step) {
        this.context = context;
        this.lastStep = step;
    }

    /** Reports the update that was made last; all ranks take part, for the mean of their losses. */
    void report(long step, TrainStep.Update update) throws IOException {
        double loss = meanOverRanks(update.loss());
        long now = System.nanoTime();
        double seconds = Math.max(1e-9, (now - lastNanos) / 1e9);
        double images = (double) (step - lastStep) * context.settings().batch();
        lastNanos = now;
        lastStep = step;
        context.report(new Report.Progress(step, loss, update.learningRate(), update.gradientNorm(), images / seconds));
    }

    private double meanOverRanks(double value) {
        try (TensorScope s = TensorScope.inference(context.manager())) {
            NDArray sum = s.doubles(new double[] {value / context.group().worldSize()}, 1);
            context.group().allReduceSum(sum);
            return sum.getDouble(0);
        }
    }
}
