package io.github.rarspark.kernel.rar;

import ai.djl.ndarray.NDArray;
import io.github.rarspark.kernel.tensor.TensorScope;
import java.util.List;

/**
 * The adaLN modulation of one branch of a block: shift and scale of its input, gate of its output. Each [B, S, D].
 *
 * @param shift null in a plain model
 * @param scale null in a plain model
 * @param gate null in a plain model, and for the head, which has no residual
 */
record Modulation(NDArray shift, NDArray scale, NDArray gate) {
    /** No modulation: a plain model. */
    static final Modulation NONE = new Modulation(null, null, null);

    /** The two branches of a block. */
    record OfBlock(Modulation attention, Modulation mlp) {
        static final OfBlock NONE = new OfBlock(Modulation.NONE, Modulation.NONE);
    }

    /** The modulation of a block, from a product of width M = 6 D. */
    static OfBlock ofBlock(TensorScope s, NDArray product_BSM) {
        List<NDArray> m = s.split(product_BSM, -1, 6);
        return new OfBlock(new Modulation(m.get(0), m.get(1), m.get(2)), new Modulation(m.get(3), m.get(4), m.get(5)));
    }

    /** The modulation of the head, from a product of width M = 2 D, in which the scale comes first. */
    static Modulation ofHead(TensorScope s, NDArray product_BSM) {
        List<NDArray> m = s.split(product_BSM, -1, 2);
        return new Modulation(m.get(1), m.get(0), null);
    }

    /** The input of the branch: the normalized residual stream, scaled and shifted. */
    NDArray input(TensorScope s, NDArray normed_BSD) {
        return scale == null ? normed_BSD : s.modulate(normed_BSD, shift, scale);
    }

    /** The residual stream plus the gated output of the branch. */
    NDArray residual(TensorScope s, NDArray x_BSD, NDArray branch_BSD) {
        return gate == null ? s.add(x_BSD, branch_BSD) : s.addGated(x_BSD, gate, branch_BSD);
    }
}
