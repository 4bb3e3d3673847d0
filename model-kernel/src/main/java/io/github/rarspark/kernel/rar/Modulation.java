package io.github.rarspark.kernel.rar;

import ai.djl.ndarray.NDArray;
import io.github.rarspark.kernel.tensor.TensorScope;

/**
 * The adaLN modulation of one branch of a block: shift and scale of its input, gate of its output; or none, in a plain
 * model. Shapes: B rows, S positions, D width.
 */
interface Modulation {
    /** The input of the branch: the residual stream, normalized, scaled and shifted. */
    NDArray input(TensorScope s, LayerNorm norm, NDArray x_BSD);

    /** The residual stream plus the gated output of the branch. */
    NDArray residual(TensorScope s, NDArray x_BSD, NDArray branch_BSD);

    /** The two branches of a block. */
    record OfBlock(Modulation attention, Modulation mlp) {}
}
