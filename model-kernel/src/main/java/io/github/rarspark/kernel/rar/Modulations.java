package io.github.rarspark.kernel.rar;

import io.github.rarspark.kernel.tensor.TensorScope;

/** The modulations of the positions that a pass through the model computes. */
interface Modulations {
    /** The modulation of a block at all positions. */
    Modulation.OfBlock ofBlock(TensorScope s, int layer);

    /** The modulation of the head at the positions from {@code first} on. */
    Modulation ofHead(TensorScope s, int first);
}
