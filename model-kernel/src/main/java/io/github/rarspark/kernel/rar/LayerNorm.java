package io.github.rarspark.kernel.rar;

import ai.djl.ndarray.NDArray;
import io.github.rarspark.kernel.tensor.Norm;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.weights.NamedTensors;

/** Layer normalization over the last axis; weight and bias have its length. */
record LayerNorm(NDArray weight, NDArray bias) {
    /** Without weight and bias: adaLN scales and shifts afterwards. */
    static final LayerNorm PLAIN = new LayerNorm(null, null);

    private static final double EPS = 1e-6;

    static LayerNorm of(NamedTensors tensors, String name) {
        return new LayerNorm(tensors.get(name + ".weight"), tensors.get(name + ".bias"));
    }

    /** For operations that normalize and do more. */
    Norm norm() {
        return new Norm(weight, bias, EPS);
    }

    NDArray forward(TensorScope s, NDArray x) {
        return s.layerNorm(x, weight, bias, EPS);
    }
}
