package io.github.rarspark.kernel.rar;

import ai.djl.ndarray.NDArray;
import io.github.rarspark.kernel.tensor.TensorScope;

/**
 * How positions attend to each other and to earlier ones: over whole sequences ({@link KeyedDropout#causalAttention}),
 * or through a {@link KeyValueCache}.
 */
@FunctionalInterface
interface Attention {
    /**
     * Computes the attention output.
     *
     * @param layer the index of the block
     * @param q_BNSH queries of S new positions; keys and values have the same shape
     * @return [B, N, S, H]
     */
    NDArray attend(TensorScope s, int layer, NDArray q_BNSH, NDArray k_BNSH, NDArray v_BNSH);
}
