package io.github.rarspark.kernel.rar;

import ai.djl.ndarray.NDArray;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.weights.NamedTensors;

/** x W^T + b: weight [out, in], bias [out]. */
record Linear(NDArray weight, NDArray bias) {
    static Linear of(NamedTensors tensors, String name) {
        return new Linear(tensors.get(name + ".weight"), tensors.get(name + ".bias"));
    }

    NDArray forward(TensorScope s, NDArray x) {
        return s.linear(x, weight, bias);
    }
}
