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

    /** The positions from the first on, [B, S, D]. */
    NDArray prefix(TensorScope s, NDArray ids_BC, int[][] orders_BT) {
        NDArray cls_B1D = s.expand(cls_11D, orders_BT.length, -1, -1);
        NDArray x_BSD = s.concatenate(1, cls_B1D, s.embedding(ids_KD, ids_BC));
        return s.add(x_BSD, places(s, orders_BT, 0, (int) x_BSD.getShape().get(1)));
    }

    /** One later position, [B, 1, D]. */
    NDArray step(TensorScope s, NDArray ids_B1, int[][] orders_BT, int position) {
        return s.add(s.embedding(ids_KD, ids_B1), places(s, orders_BT, position, 1));
    }

    /** Where the tokens of positions [from, from + S) are, plus where those are that they predict, [B, S, D]. */
    private NDArray places(TensorScope s, int[][] orders_BT, int from, int count) {
        NDArray places_BSD = rows(s, places_1PD, orders_BT, from, count);
        if (targets_1PD == null) {
            return places_BSD;
        }
        int first = Math.max(from, 1);
        int end = Math.min(from + count, tokens + 1);
        NDArray targets_BSD = rows(s, targets_1PD, orders_BT, first + 1, end - first);
        if (first > from) {
            targets_BSD = s.concatenate(1, zeros(s, orders_BT.length), targets_BSD);
        }
        if (end < from + count) {
            targets_BSD = s.concatenate(1, targets_BSD, zeros(s, orders_BT.length));
        }
        return s.add(places_BSD, targets_BSD);
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
