package io.github.rarspark.kernel.rar;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.weights.NamedTensors;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Adaptive layer normalization: the modulations of blocks and head are linear in the activated sum of condition and
 * position. They are computed once per distinct condition of a batch.
 *
 * <p>Shapes: B rows, U distinct conditions, S positions, D width, P some of them, M = 6 D (blocks) or 2 D (head),
 * K ids.
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

    /**
     * The products of some conditions and positions, with the manager that owns them.
     *
     * @param blocks_UPM one for each block
     */
    record Products(NDManager manager, List<NDArray> blocks_UPM, NDArray head_UPM) implements AutoCloseable {
        /** These, followed by another condition's at positions [from, from + P), owned by {@code parent}. */
        Products with(NDManager parent, Products other, int from) {
            NDManager owner = parent.newSubManager();
            try (TensorScope s = TensorScope.inference(owner)) {
                List<NDArray> blocks_VPM = IntStream.range(0, blocks_UPM.size())
                        .mapToObj(layer -> joined(s, blocks_UPM.get(layer), other.blocks_UPM.get(layer), from))
                        .toList();
                return new Products(owner, blocks_VPM, joined(s, head_UPM, other.head_UPM, from));
            }
        }

        private static NDArray joined(TensorScope s, NDArray x_UPM, NDArray other_1QM, int from) {
            return s.keep(s.concatenate(
                    0, x_UPM, s.narrow(other_1QM, 1, from, x_UPM.getShape().get(1))));
        }

        @Override
        public void close() {
            manager.close();
        }
    }

    /** The input of the modulation layers at the first {@code count} positions, [U, count, D]. */
    NDArray input(TensorScope s, Conditions conditions, int count) {
        NDArray embedded_UD = embedded(s, conditions.distinct_U1());
        NDArray embedded_U1D = s.reshape(embedded_UD, conditions.distinct(), 1, -1);
        return s.silu(s.add(embedded_U1D, positions(s, 0, count)));
    }

    /** The products at positions [from, end), for sampling, in the given type. */
    Products products(NDManager parent, DataType type, NDArray distinct_U1, int from, int end) {
        NDManager owner = parent.newSubManager();
        try (TensorScope s = TensorScope.inference(owner)) {
            NDArray input_UPD = s.activatedSums(embedded(s, distinct_U1), positions(s, from, end), type);
            List<NDArray> blocks_UPM = blocks.stream()
                    .map(block -> s.keep(block.forward(s, input_UPD)))
                    .toList();
            return new Products(owner, blocks_UPM, s.keep(head.forward(s, input_UPD)));
        }
    }

    private NDArray embedded(TensorScope s, NDArray distinct_U1) {
        return s.reshape(s.embedding(ids_KD, distinct_U1), distinct_U1.size(0), -1);
    }

    private NDArray positions(TensorScope s, int from, int end) {
        NDArray positions_PD =
                s.reshape(positions_1PD, -1, positions_1PD.getShape().get(2));
        return s.narrow(positions_PD, 0, from, end - from);
    }
}
