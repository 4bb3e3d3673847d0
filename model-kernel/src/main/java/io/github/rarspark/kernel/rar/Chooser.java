package io.github.rarspark.kernel.rar;

import ai.djl.ndarray.NDArray;
import io.github.rarspark.kernel.tensor.TensorScope;

/** Chooses the next token of each row from its logits. Shapes: B rows, V codes. */
@FunctionalInterface
public interface Chooser {
    /**
     * Chooses the t-th token of each row.
     *
     * @param t the step, from 0
     * @param logits_BV float32, one row per image
     * @return int64 [B]
     */
    NDArray choose(TensorScope s, int t, NDArray logits_BV);

    /**
     * Called after the last step, for what a chooser checks only then, so as not to wait for a GPU at every token.
     *
     * @throws io.github.rarspark.kernel.error.NumericException if the tokens are not valid
     */
    default void check() {}
}
