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
     * Makes one update at the learning rate of {@link AdamW#steps}.
     *
     * @return the norm of the gradient before clipping
     * @throws NumericException if the gradient is not finite; no parameter has moved
     */
    public double run() {
        double norm = optimizer.clipGradients();
        if (!Double.isFinite(norm)) {
            throw new NumericException("The gradient of step " + optimizer.steps() + " is not finite");
        }
        optimizer.step(learningRate.at(optimizer.steps()));
        optimizer.zeroGradients();
        return norm;
    }
}
