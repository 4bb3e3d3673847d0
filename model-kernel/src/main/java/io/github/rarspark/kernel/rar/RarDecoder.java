package io.github.rarspark.kernel.rar;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import io.github.rarspark.kernel.tensor.Legend;
import io.github.rarspark.kernel.tensor.TensorScope;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Token-by-token evaluation of a RAR model with a key-value cache: except for attention, the cost of a step does not
 * depend on the number of earlier positions.
 *
 * <p>Shapes: R rows, T image tokens, P positions, D width, V codes.
 */
public final class RarDecoder implements AutoCloseable {
    private final RarModel model;
    private final NDManager manager;
    private final Legend legend;
    private final NDArray conditions_R;
    private final NDArray rows_PR;
    private final KeyValueCache cache;
    private final ModulationTable modulations;

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
        this.legend = Legend.of('R', rows).and('T', model.config().tokens());
        legend.check("orders_RT", orders_RT);
        this.manager = parent.newSubManager();
        try (TensorScope s = TensorScope.inference(manager)) {
            this.conditions_R = s.keep(s.longs(conditions_R, rows));
            this.rows_PR = s.keep(model.embedding().rows(s, orders_RT));
        }
        // The last token is never read: nothing follows it.
        int positions = model.config().positions() - 1;
        this.cache = new KeyValueCache(manager, model.config(), rows, positions, model.type());
        this.modulations = new ModulationTable(model, manager, conditions_R);
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
        read(s, null);
        return logits(s, read(s, conditions_R));
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
        int tokens = model.config().tokens();
        if (token < 0 || token >= tokens - 1) {
            throw new IllegalStateException("Cannot decode token " + token + " of " + tokens);
        }
        return logits(s, read(s, tokens_R));
    }

    /** Chooses the first {@code steps} tokens of each row one after the other: [steps][R]. */
    public long[][] decodeAll(int steps, Chooser chooser) {
        List<NDArray> chosen_R = new ArrayList<>();
        for (int t = 0; t < steps; t++) {
            try (TensorScope s = TensorScope.inference(manager)) {
                NDArray logits_RV = t == 0 ? prefill(s) : decode(s, chosen_R.get(t - 1));
                NDArray tokens_R = chooser.choose(s, t, logits_RV);
                legend.check("tokens_R", tokens_R);
                chosen_R.add(s.keep(tokens_R));
            }
        }
        try (TensorScope s = TensorScope.inference(manager)) {
            int rows = Math.toIntExact(rows_PR.getShape().get(1));
            long[] all = s.concatenate(0, chosen_R.toArray(NDArray[]::new)).toLongArray();
            return IntStream.range(0, steps)
                    .mapToObj(t -> Arrays.copyOfRange(all, t * rows, (t + 1) * rows))
                    .toArray(long[][]::new);
        }
    }

    /** Passes the next position through the blocks; returns what the last makes of it, [R, 1, D]. */
    private NDArray read(TensorScope s, NDArray ids_R) {
        NDArray x_R1D = model.embedding().step(s, ids_R, rows_PR, cache.length());
        Modulations here = modulations.at(cache.length());
        NDArray y_R1D = model.transform(s, x_R1D, here, cache::attend, KeyedDropout.NONE);
        cache.advance();
        return y_R1D;
    }

    /** The logits [R, V], float32, of the token after the last position read. */
    private NDArray logits(TensorScope s, NDArray y_R1D) {
        NDArray logits_R1V = model.head().forward(s, y_R1D, modulations.at(cache.length() - 1), 0);
        return s.to(s.reshape(logits_R1V, -1, model.config().codes()), DataType.FLOAT32);
    }

    @Override
    public void close() {
        manager.close();
    }
}
