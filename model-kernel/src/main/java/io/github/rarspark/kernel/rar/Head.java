package io.github.rarspark.kernel.rar;

import ai.djl.ndarray.NDArray;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.weights.NamedTensors;

/**
 * The final normalization and the projection to logits. Shapes: B rows, S positions, P predictions, D width, V codes.
 */
record Head(LayerNorm norm, Linear projection) {
    static Head of(RarConfig config, NamedTensors tensors) {
        boolean adaLn = config.conditioning() == Conditioning.ADALN;
        return new Head(adaLn ? LayerNorm.PLAIN : LayerNorm.of(tensors, "norm"), Linear.of(tensors, "lm_head"));
    }

    /** Logits [B, P, V] at the positions from {@code first} on. */
    NDArray forward(TensorScope s, NDArray x_BSD, Modulations modulations, int first) {
        NDArray x_BPD = s.narrow(x_BSD, 1, first, x_BSD.getShape().get(1) - first);
        return projection.forward(s, modulations.ofHead(s, first).input(s, norm, x_BPD));
    }
}
