package io.github.rarspark.kernel.rar;

import ai.djl.ndarray.NDArray;
import io.github.rarspark.kernel.tensor.TensorScope;

/** A loss whose scope has recorded everything that the backward pass needs. */
record RecordedLoss(TensorScope scope, RarModel.Scored scored) implements TrainingLoss {
    @Override
    public void backward(NDArray scalar) {
        scope.backward(scalar);
    }
}
