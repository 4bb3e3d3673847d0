package io.github.rarspark.kernel.rar;

import java.util.Arrays;

/**
 * Samples as the model reads them: tokens already in the order of their prediction.
 *
 * @param rows number of samples B
 * @param tokens {@code [B*T]}, row-major: entry k of a row is the k-th token to predict
 * @param orders {@code [B*T]}: the raster place of that token
 * @param conditions {@code [B]}: ids of the token space, a class or "no class"
 */
public record RarBatch(int rows, long[] tokens, long[] orders, long[] conditions) {
    /** Brings raster tokens into the given orders. */
    public static RarBatch ordered(long[][] rasterTokens, long[][] orders, long[] conditions) {
        int rows = rasterTokens.length;
        int length = rows == 0 ? 0 : rasterTokens[0].length;
        long[] tokens = new long[rows * length];
        long[] places = new long[rows * length];
        for (int b = 0; b < rows; b++) {
            for (int k = 0; k < length; k++) {
                places[b * length + k] = orders[b][k];
                tokens[b * length + k] = rasterTokens[b][(int) orders[b][k]];
            }
        }
        return new RarBatch(rows, tokens, places, conditions);
    }

    /** The distinct conditions, ascending. */
    long[] distinctConditions() {
        return Arrays.stream(conditions).sorted().distinct().toArray();
    }
}
