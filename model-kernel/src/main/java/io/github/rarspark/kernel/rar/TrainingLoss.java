package io.github.rarspark.kernel.rar;

import ai.djl.ndarray.NDArray;

/** The loss of a batch and its backward pass, which is made once, in the scope of the loss. */
public sealed interface TrainingLoss permits RecordedLoss, CheckpointedLoss {
    /** The loss, and the logits that it is computed from. */
    RarModel.Scored scored();

    /** Adds the gradients of {@code scalar}, a function of the loss, to those of the weights. */
    void backward(NDArray scalar);
}
