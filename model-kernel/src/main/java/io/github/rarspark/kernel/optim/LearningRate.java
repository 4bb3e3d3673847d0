package io.github.rarspark.kernel.optim;

/**
 * Linear warm-up from 0, then cosine decay to {@code end}.
 *
 * @param base the rate after the warm-up
 * @param end the rate at {@code totalSteps} and later
 * @param warmupSteps the length of the warm-up
 * @param totalSteps the step at which the decay ends
 */
public record LearningRate(double base, double end, long warmupSteps, long totalSteps) {
    /** The rate of update {@code step}, counted from 0. */
    public double at(long step) {
        if (step < warmupSteps) {
            return base * step / warmupSteps;
        }
        double progress = Math.min(1.0, (double) (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps));
        return end + (base - end) * 0.5 * (1 + Math.cos(Math.PI * progress));
    }
}
