package io.github.rarspark.kernel.rar;

import ai.djl.ndarray.NDArray;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.weights.NamedTensors;

/**
 * What the blocks read: at each position its token, the token's place, and the place of the token to predict (Section 3.2
 * of the paper). The positions of an image whose k-th token has the raster place {@code order[k]}:
 *
 * <pre>
 *   position   token     place           predicts the token at
 *   0          cls       0               -
 *   1          class     1               2 + order[0]
 *   2 + k      token k   2 + order[k]    2 + order[k + 1]
 *   T + 1      token T-1 2 + order[T-1]  -
 * </pre>
 *
 * <p>Shapes: B rows, S positions, C = S - 1 ids behind cls, T image tokens, D width, K ids, P rows of the position tables.
 *
 * @param tokens T
 * @param cls_11D the token that opens a sequence
 * @param ids_KD a row for each id of {@link TokenSpace}
 * @param places_1PD a row for each place
 * @param targets_1PD a row for each place to predict; null unless the model is target-aware
 */
record Embedding(int tokens, NDArray cls_11D, NDArray ids_KD, NDArray places_1PD, NDArray targets_1PD) {
    /** Positions, and rows of the tables, before those of the image tokens: cls and class. */
    private static final int PREFIX = 2;

    static Embedding of(RarConfig config, NamedTensors tensors) {
        return new Embedding(
                config.tokens(),
                tensors.get("cls_token"),
                tensors.get("embeddings.weight"),
                tensors.get("pos_embed"),
                config.targetAware() ? tensors.get("target_aware_pos_embed") : null);
    }

    /** The embeddings of whole sequences, [B, S, D]. */
    NDArray sequences(TensorScope s, NDArray ids_BC, int[][] orders_BT) {
        NDArray x_BSD = opened(s, ids_BC);
        int positions = (int) x_BSD.getShape().get(1);
        NDArray places_BSD = places(s, orders_BT, 0, positions);
        // Not the order of sums in located(): trained weights depend on this one to the last bit, sampled images on the
        // other.
        return s.add(x_BSD, targets_1PD == null ? places_BSD : s.add(places_BSD, targets(s, orders_BT, 0, positions)));
    }

    /** The embeddings of the positions before any image token, [B, 2, D]. */
    NDArray prefix(TensorScope s, NDArray classes_B1, int[][] orders_BT) {
        return located(s, opened(s, classes_B1), orders_BT, 0);
    }

    /** The embedding of one later position, [B, 1, D]. */
    NDArray step(TensorScope s, NDArray tokens_B1, int[][] orders_BT, int position) {
        return located(s, s.embedding(ids_KD, tokens_B1), orders_BT, position);
    }

    /** Cls, then the embeddings of ids, [B, S, D]. */
    private NDArray opened(TensorScope s, NDArray ids_BC) {
        NDArray cls_B1D = s.expand(cls_11D, ids_BC.getShape().get(0), -1, -1);
        return s.concatenate(1, cls_B1D, s.embedding(ids_KD, ids_BC));
    }

    /** Adds to x the embeddings of positions [from, from + S), then those of the positions they predict, [B, S, D]. */
    private NDArray located(TensorScope s, NDArray x_BSD, int[][] orders_BT, int from) {
        int count = (int) x_BSD.getShape().get(1);
        NDArray placed_BSD = s.add(x_BSD, places(s, orders_BT, from, count));
        return targets_1PD == null ? placed_BSD : s.add(placed_BSD, targets(s, orders_BT, from, count));
    }

    /** Where the tokens of positions [from, from + S) are, [B, S, D]. */
    private NDArray places(TensorScope s, int[][] orders_BT, int from, int count) {
        return rows(s, places_1PD, orders_BT, from, count);
    }

    /** Where the tokens are that positions [from, from + S) predict, [B, S, D]; zeros for those that predict none. */
    private NDArray targets(TensorScope s, int[][] orders_BT, int from, int count) {
        int first = Math.max(from, 1);
        int end = Math.min(from + count, tokens + 1);
        NDArray targets_BSD = rows(s, targets_1PD, orders_BT, first + 1, end - first);
        if (first > from) {
            targets_BSD = s.concatenate(1, zeros(s, orders_BT.length), targets_BSD);
        }
        if (end < from + count) {
            targets_BSD = s.concatenate(1, targets_BSD, zeros(s, orders_BT.length));
        }
        return targets_BSD;
    }

    /** The rows of a table for the tokens of positions [from, from + count), [B, count, D]. */
    private static NDArray rows(TensorScope s, NDArray table_1PD, int[][] orders_BT, int from, int count) {
        long[] rows = new long[orders_BT.length * count];
        for (int b = 0; b < orders_BT.length; b++) {
            for (int i = 0; i < count; i++) {
                int position = from + i;
                rows[b * count + i] = position < PREFIX ? position : PREFIX + orders_BT[b][position - PREFIX];
            }
        }
        NDArray table_PD = s.reshape(table_1PD, -1, table_1PD.getShape().get(2));
        return s.embedding(table_PD, s.longs(rows, orders_BT.length, count));
    }

    private NDArray zeros(TensorScope s, int rows) {
        return s.zeros(rows, 1, cls_11D.getShape().get(2));
    }
}
