package io.github.rarspark.kernel.optim;

import io.github.rarspark.kernel.error.NumericException;

/**
 * The end of every training step, after the backward pass: clip the gradients, check them, update, clear them.
 *
 * @param optimizer owns the moments and counts the steps
 * @param learningRate of each step
 */
public record OptimizerStep(AdamW optimizer, LearningRate learningRate) {
    /**
     * What a step did.
     *
     * @param gradientNorm the norm of the gradient before clipping
     * @param skipped whether the gradient was dropped: no parameter has moved, nor any moment
     */
    public record Result(double gradientNorm, boolean skipped) {}

    /**
     * Makes one update at the learning rate of {@link AdamW#steps}.
     *
     * @return the norm of the gradient before clipping
     * @throws NumericException if the gradient is not finite; no parameter has moved
     */
    public double run() {
        long step = optimizer.steps();
        Result result = runOrSkip(step, Double.MAX_VALUE);
        if (result.skipped()) {
            throw new NumericException("The gradient of step " + step + " is not finite");
        }
        return result.gradientNorm();
    }

    /**
     * Makes one update, unless the gradient is not finite or too large.
     *
     * @param step whose learning rate is taken; more than {@link AdamW#steps} if earlier steps were skipped
     * @param largestNorm a finite limit: a gradient with a larger norm is dropped
     */
    public Result runOrSkip(long step, double largestNorm) {
        double norm = optimizer.gradientNorm();
        boolean skipped = !(norm <= largestNorm); // NaN is not
        if (!skipped) {
            optimizer.step(learningRate.at(step), norm);
        }
        optimizer.dropGradients();
        return new Result(norm, skipped);
    }
}
