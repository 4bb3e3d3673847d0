package io.github.rarspark.kernel.rar;

import ai.djl.ndarray.NDArray;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.weights.NamedTensors;

/** x W^T + b: weight [out, in], plain or packed, and bias [out]. */
record Linear(NDArray weight, NDArray bias) {
    static Linear of(NamedTensors tensors, String name) {
        return new Linear(tensors.get(name + ".weight"), tensors.get(name + ".bias"));
    }

    NDArray forward(TensorScope s, NDArray x) {
        return s.linear(x, weight, bias);
    }

    /** The GELU of {@link #forward}. */
    NDArray gelu(TensorScope s, NDArray x) {
        return s.linearGelu(x, weight, bias);
    }
}
