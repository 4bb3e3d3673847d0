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
     * @param heads how the product is divided
     * @param qkv_BSM queries, keys and values of S new positions, M = 3 D
     * @return [B, S, D]
     */
    NDArray attend(TensorScope s, int layer, Heads heads, NDArray qkv_BSM);
}
