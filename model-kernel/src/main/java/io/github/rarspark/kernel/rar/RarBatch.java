package io.github.rarspark.kernel.rar;

import ai.djl.ndarray.NDArray;
import io.github.rarspark.kernel.tensor.Legend;
import io.github.rarspark.kernel.tensor.TensorScope;
import java.util.Arrays;

/**
 * A batch as the model reads it: tokens already in prediction order. Shapes: B rows, T image tokens.
 *
 * @param tokens {@code [B][T]}: entry k of a row is the k-th token to predict
 * @param orders {@code [B][T]}: the raster position of that token
 * @param conditions {@code [B]}: ids of the token space, a class or "no class"
 */
public record RarBatch(long[][] tokens, int[][] orders, long[] conditions) {
    /** Checks that the shapes agree. */
    public RarBatch {
        Legend legend = Legend.of('B', tokens.length).and('T', tokens.length == 0 ? 0 : tokens[0].length);
        legend.check("tokens_BT", tokens);
        legend.check("orders_BT", orders);
        legend.check("conditions_B", conditions);
    }

    /** Reorders raster tokens {@code [B][T]} into the given prediction orders. */
    public static RarBatch ordered(long[][] rasterTokens, int[][] orders, long[] conditions) {
        long[][] tokens = new long[orders.length][];
        for (int b = 0; b < orders.length; b++) {
            tokens[b] = new long[orders[b].length];
            for (int k = 0; k < orders[b].length; k++) {
                tokens[b][k] = rasterTokens[b][orders[b][k]];
            }
        }
        return new RarBatch(tokens, orders, conditions);
    }

    /** The number of samples B. */
    public int rows() {
        return tokens.length;
    }

    /** Some of the samples, in the given order. */
    RarBatch select(int[] rows) {
        return new RarBatch(
                Arrays.stream(rows).mapToObj(row -> tokens[row]).toArray(long[][]::new),
                Arrays.stream(rows).mapToObj(row -> orders[row]).toArray(int[][]::new),
                Arrays.stream(rows).mapToLong(row -> conditions[row]).toArray());
    }

    /** The condition and the first {@code known} tokens of each row, int64 [B, known + 1]. */
    NDArray ids(TensorScope s, int known) {
        long[] ids = new long[rows() * (known + 1)];
        for (int b = 0; b < rows(); b++) {
            ids[b * (known + 1)] = conditions[b];
            System.arraycopy(tokens[b], 0, ids, b * (known + 1) + 1, known);
        }
        return s.longs(ids, rows(), known + 1);
    }

    /** The prediction targets: the tokens of all rows, int64 [B * T]. */
    NDArray targets(TensorScope s) {
        long[] targets = Arrays.stream(tokens).flatMapToLong(Arrays::stream).toArray();
        return s.longs(targets, targets.length);
    }
}
