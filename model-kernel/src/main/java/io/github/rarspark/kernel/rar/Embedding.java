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
        // Not the order of sums in step(): trained weights depend on this one to the last bit, sampled images on the
        // other.
        return s.add(x_BSD, targets_1PD == null ? places_BSD : s.add(places_BSD, targets(s, orders_BT, 0, positions)));
    }

    /** The rows of the position tables for the positions up to the last token's, [T + 2, B]. */
    NDArray rows(TensorScope s, int[][] orders_BT) {
        int rows = orders_BT.length;
        long[] all = new long[(tokens + PREFIX) * rows];
        for (int i = 0; i < all.length; i++) {
            all[i] = row(orders_BT[i % rows], i / rows);
        }
        return s.longs(all, tokens + PREFIX, rows);
    }

    /**
     * The embedding of one position, [B, 1, D].
     *
     * @param ids_B of the class or the token; null for cls
     * @param rows_PB of {@link #rows}
     */
    NDArray step(TensorScope s, NDArray ids_B, NDArray rows_PB, int position) {
        int batch = (int) rows_PB.getShape().get(1);
        NDArray x_B1D =
                ids_B == null ? s.expand(cls_11D, batch, -1, -1) : s.embedding(ids_KD, s.reshape(ids_B, batch, 1));
        NDArray placed_B1D = s.add(x_B1D, lookUp(s, places_1PD, rows_PB, position));
        // Cls predicts nothing.
        return targets_1PD == null || position == 0
                ? placed_B1D
                : s.add(placed_B1D, lookUp(s, targets_1PD, rows_PB, position + 1));
    }

    private static NDArray lookUp(TensorScope s, NDArray table_1PD, NDArray rows_PB, int position) {
        NDArray rows_B1 = s.reshape(s.narrow(rows_PB, 0, position, 1), -1, 1);
        return s.embedding(flat(s, table_1PD), rows_B1);
    }

    private static NDArray flat(TensorScope s, NDArray table_1PD) {
        return s.reshape(table_1PD, -1, table_1PD.getShape().get(2));
    }

    /** The row of the position tables for a position of a sequence. */
    private static int row(int[] order_T, int position) {
        return position < PREFIX ? position : PREFIX + order_T[position - PREFIX];
    }

    /** Cls, then the embeddings of ids, [B, S, D]. */
    private NDArray opened(TensorScope s, NDArray ids_BC) {
        NDArray cls_B1D = s.expand(cls_11D, ids_BC.getShape().get(0), -1, -1);
        return s.concatenate(1, cls_B1D, s.embedding(ids_KD, ids_BC));
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
                rows[b * count + i] = row(orders_BT[b], from + i);
            }
        }
        return s.embedding(flat(s, table_1PD), s.longs(rows, orders_BT.length, count));
    }

    private NDArray zeros(TensorScope s, int rows) {
        return s.zeros(rows, 1, cls_11D.getShape().get(2));
    }
}
