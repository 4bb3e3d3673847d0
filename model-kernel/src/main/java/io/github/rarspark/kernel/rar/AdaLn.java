package io.github.rarspark.kernel.rar;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.weights.NamedTensors;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Adaptive layer normalization: the modulations of blocks and head are linear in the activated sum of condition and
 * position. They are computed once per distinct condition of a batch.
 *
 * <p>Shapes: B rows, U distinct conditions, S positions, D width, M = 6 D (blocks) or 2 D (head), K ids.
 *
 * @param ids_KD a row for each id of {@link TokenSpace}
 * @param positions_1PD a row for each position of the sequence
 */
record AdaLn(NDArray ids_KD, NDArray positions_1PD, List<Linear> blocks, Linear head) {

    static AdaLn of(RarConfig config, NamedTensors tensors) {
        return new AdaLn(
                tensors.get("embeddings.weight"),
                tensors.get("timesteps_embeddings"),
                IntStream.range(0, config.layers())
                        .mapToObj(layer -> Linear.of(tensors, "blocks." + layer + ".adaLN_modulation.1"))
                        .toList(),
                Linear.of(tensors, "adaln_before_head.adaLN_modulation.1"));
    }

    /** The distinct conditions of a batch, and the index of each row's condition among them. */
    record Conditions(NDArray distinct_U1, NDArray ofRow_B) {
        static Conditions of(NDManager manager, long[] conditions_B) {
            long[] distinct = Arrays.stream(conditions_B).sorted().distinct().toArray();
            long[] ofRow = Arrays.stream(conditions_B)
                    .map(id -> Arrays.binarySearch(distinct, id))
                    .toArray();
            try (TensorScope s = TensorScope.inference(manager)) {
                return new Conditions(
                        s.keep(s.longs(distinct, distinct.length, 1)), s.keep(s.longs(ofRow, ofRow.length)));
            }
        }

        /** The number of distinct conditions. */
        int distinct() {
            return (int) distinct_U1.getShape().get(0);
        }

        /** Expands products per distinct condition to rows. */
        NDArray ofRows(TensorScope s, NDArray product_USM) {
            return s.indexSelect(product_USM, 0, ofRow_B);
        }
    }

    /** The input of the modulation layers at positions [from, from + S). */
    NDArray input(TensorScope s, Conditions conditions, int from, int count) {
        NDArray conditions_U1D = s.embedding(ids_KD, conditions.distinct_U1());
        return s.silu(s.add(conditions_U1D, s.narrow(positions_1PD, 1, from, count)));
    }

    /** The modulations of the positions of {@code input}, each computed on demand. */
    Modulations modulations(Conditions conditions, NDArray input_USD) {
        return new Modulations() {
            @Override
            public Modulation.OfBlock ofBlock(TensorScope s, int layer) {
                return Modulation.ofBlock(
                        s, conditions.ofRows(s, blocks.get(layer).forward(s, input_USD)));
            }

            @Override
            public Modulation ofHead(TensorScope s, int first) {
                NDArray product_BSM = conditions.ofRows(s, head.forward(s, input_USD));
                return Modulation.ofHead(
                        s,
                        s.narrow(product_BSM, 1, first, product_BSM.getShape().get(1) - first));
            }
        };
    }
}
