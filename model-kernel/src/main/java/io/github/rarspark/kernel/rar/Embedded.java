package io.github.rarspark.kernel.rar;

import ai.djl.ndarray.NDArray;
import io.github.rarspark.kernel.tensor.TensorScope;
import java.util.List;

/**
 * Embedded sequences: what the blocks and the head read. Shapes: B rows, U distinct conditions, S positions, D width.
 *
 * @param x_BSD the input of the first block
 * @param conditions of the rows; null in a plain model
 * @param modulationInput_USD the input of the modulation layers; null in a plain model
 */
record Embedded(NDArray x_BSD, AdaLn.Conditions conditions, NDArray modulationInput_USD) {
    /** The same values as leaves. */
    Embedded leaves(TensorScope s) {
        return new Embedded(
                s.leaf(x_BSD), conditions, modulationInput_USD == null ? null : s.leaf(modulationInput_USD));
    }

    /** What was computed from weights. */
    List<NDArray> tensors() {
        return modulationInput_USD == null ? List.of(x_BSD) : List.of(x_BSD, modulationInput_USD);
    }
}
