package io.github.rarspark.kernel.rar;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.rarspark.kernel.tensor.Autocast;
import io.github.rarspark.kernel.tensor.Legend;
import io.github.rarspark.kernel.tensor.TensorScope;

/**
 * Token-by-token evaluation of a RAR model with a key-value cache: except for attention, the cost of a step does not
 * depend on the number of earlier positions.
 *
 * <p>Shapes: R rows, T image tokens, S new positions, D width, V codes.
 */
public final class RarDecoder implements AutoCloseable {
    private final RarModel model;
    private final int tokens;
    private final NDManager manager;
    private final Legend legend;
    private final NDArray conditions_R1;
    private final int[][] orders_RT;
    private final KeyValueCache cache;
    private final ModulationTable modulations; // null in a plain model

    /**
     * Creates a decoder at the first position.
     *
     * @param conditions_R ids of the token space
     * @param orders_RT the raster position of the k-th token of each row
     * @throws IllegalArgumentException if the shapes do not match
     */
    public RarDecoder(RarModel model, NDManager parent, long[] conditions_R, int[][] orders_RT) {
        int rows = conditions_R.length;
        this.model = model;
        this.tokens = model.config().tokens();
        this.legend = Legend.of('R', rows).and('T', tokens);
        legend.check("orders_RT", orders_RT);
        this.orders_RT = orders_RT;
        this.manager = parent.newSubManager();
        try (TensorScope s = TensorScope.inference(manager)) {
            this.conditions_R1 = s.keep(s.longs(conditions_R, rows, 1));
        }
        // The last token is never read: nothing follows it.
        int positions = model.config().positions() - 1;
        this.cache = new KeyValueCache(manager, model.config(), rows, positions, model.precision());
        this.modulations =
                model.adaLn() == null ? null : new ModulationTable(model.adaLn(), manager, conditions_R, positions);
    }

    /**
     * Reads cls and class; returns the logits [R, V] of the first token.
     *
     * @throws IllegalStateException if called twice
     */
    public NDArray prefill(TensorScope s) {
        if (cache.length() > 0) {
            throw new IllegalStateException(
                    "Cannot prefill a decoder that has already read " + cache.length() + " positions");
        }
        try (Autocast autocast = model.precision().autocast(manager.getDevice())) {
            NDArray x_R2D = model.embedding().prefix(s, conditions_R1, orders_RT);
            return advance(s, x_R2D, 2, cache::prefill);
        }
    }

    /**
     * Reads the next token of each row; returns the logits [R, V] of the one after it.
     *
     * @param tokens_R int64
     * @throws IllegalStateException if called before {@link #prefill}, or after all tokens but the last have been read
     */
    public NDArray decode(TensorScope s, NDArray tokens_R) {
        legend.check("tokens_R", tokens_R);
        int token = cache.length() - 2;
        if (token < 0 || token >= tokens - 1) {
            throw new IllegalStateException("Cannot decode token " + token + " of " + tokens);
        }
        try (Autocast autocast = model.precision().autocast(manager.getDevice())) {
            NDArray tokens_R1 = s.reshape(tokens_R, -1, 1);
            NDArray x_R1D = model.embedding().step(s, tokens_R1, orders_RT, cache.length());
            return advance(s, x_R1D, 1, cache::decode);
        }
    }

    /** Chooses the first {@code steps} tokens of each row one after the other: [steps][R]. */
    public long[][] decodeAll(int steps, Chooser chooser) {
        long[][] chosen = new long[steps][];
        for (int t = 0; t < steps; t++) {
            try (TensorScope s = TensorScope.inference(manager)) {
                NDArray logits_RV = t == 0 ? prefill(s) : decode(s, s.longs(chosen[t - 1], chosen[t - 1].length));
                NDArray tokens_R = chooser.choose(s, t, logits_RV);
                legend.check("tokens_R", tokens_R);
                chosen[t] = tokens_R.toLongArray();
            }
        }
        return chosen;
    }

    /** Passes {@code count} new positions through the blocks; returns the logits of the last. */
    private NDArray advance(TensorScope s, NDArray x_RSD, int count, Attention attention) {
        Modulations here = modulations == null ? Modulations.NONE : modulations.at(cache.length(), count);
        NDArray y_RSD = model.transform(s, x_RSD, here, attention, KeyedDropout.NONE);
        cache.advance(count);
        NDArray logits_R1V = model.head().forward(s, y_RSD, here, count - 1);
        return s.reshape(logits_R1V, -1, model.config().codes());
    }

    @Override
    public void close() {
        manager.close();
    }
}
