package io.github.rarspark.kernel.rar;

import ai.djl.ndarray.NDArray;
import io.github.rarspark.kernel.tensor.TensorScope;
import java.util.List;

/**
 * The modulations of whole sequences, each computed on demand, so that it can be differentiated and freed.
 *
 * <p>Shapes: B rows, S positions, D width, M = 6 D (blocks) or 2 D (head), U distinct conditions.
 *
 * @param adaLn the modulation layers
 * @param conditions of the rows
 * @param input_USD what the layers read
 */
record SequenceModulations(AdaLn adaLn, AdaLn.Conditions conditions, NDArray input_USD) implements Modulations {
    /** In a plain model. */
    static final Modulations NONE = new Modulations() {
        private final Modulation none = new Tensors(null, null, null);

        @Override
        public Modulation.OfBlock ofBlock(TensorScope s, int layer) {
            return new Modulation.OfBlock(none, none);
        }

        @Override
        public Modulation ofHead(TensorScope s, int first) {
            return none;
        }
    };

    /** Shift, scale and gate, [B, S, D] each, or null. */
    private record Tensors(NDArray shift, NDArray scale, NDArray gate) implements Modulation {
        @Override
        public NDArray input(TensorScope s, LayerNorm norm, NDArray x_BSD) {
            NDArray normed_BSD = norm.forward(s, x_BSD);
            return scale == null ? normed_BSD : s.modulate(normed_BSD, shift, scale);
        }

        @Override
        public NDArray residual(TensorScope s, NDArray x_BSD, NDArray branch_BSD) {
            return gate == null ? s.add(x_BSD, branch_BSD) : s.addGated(x_BSD, gate, branch_BSD);
        }
    }

    @Override
    public Modulation.OfBlock ofBlock(TensorScope s, int layer) {
        NDArray product_BSM = conditions.ofRows(s, adaLn.blocks().get(layer).forward(s, input_USD));
        List<NDArray> m = s.split(product_BSM, -1, 6);
        return new Modulation.OfBlock(
                new Tensors(m.get(0), m.get(1), m.get(2)), new Tensors(m.get(3), m.get(4), m.get(5)));
    }

    @Override
    public Modulation ofHead(TensorScope s, int first) {
        NDArray product_BSM = conditions.ofRows(s, adaLn.head().forward(s, input_USD));
        long count = product_BSM.getShape().get(1) - first;
        List<NDArray> m = s.split(s.narrow(product_BSM, 1, first, count), -1, 2);
        return new Tensors(m.get(1), m.get(0), null); // the scale comes first
    }
}
