package io.github.rarspark.kernel.rar;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.github.rarspark.kernel.rar.RarWeights.Block;
import io.github.rarspark.kernel.rar.RarWeights.Linear;
import io.github.rarspark.kernel.tensor.Autocast;
import io.github.rarspark.kernel.tensor.TensorScope;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Token-by-token evaluation of a RAR model with a key-value cache. The cache is allocated once; a step costs one
 * position, whatever came before, but for attention itself.
 *
 * <p>A block's modulation depends on class and position alone. It is computed once for each distinct class, for many
 * positions in one product, ahead of the loop.
 *
 * <p>Shapes: R rows, U distinct conditions, D width, N heads, H head width, V codes, C positions of a modulation chunk.
 */
public final class RarDecoder implements AutoCloseable {
    /** Rows of one modulation product: enough to keep the processor busy, few enough to stay small in memory. */
    private static final int MODULATION_ROWS = 256;

    private final RarModel model;
    private final RarConfig config;
    private final NDManager manager;
    private final long[][] orders;
    private final List<NDArray> keys = new ArrayList<>();
    private final List<NDArray> values = new ArrayList<>();
    private final int rows;
    private final NDArray conditions_R;
    private final NDArray distinct_U;
    private final NDArray ofRow_R;
    private final int chunk;
    private int position;
    private TensorScope modulationScope;
    private List<NDArray> modulations_UCM = List.of();
    private NDArray headModulation_UCM;
    private int chunkStart;

    /**
     * A decoder at the first position.
     *
     * @param conditions {@code [R]} ids of the token space, one a row
     * @param orders {@code [R][T]} raster place of the k-th token of each row
     */
    public RarDecoder(RarModel model, NDManager parent, long[] conditions, long[][] orders) {
        this.model = model;
        this.config = model.config();
        this.manager = parent.newSubManager();
        this.orders = orders;
        this.rows = conditions.length;
        Shape cache = new Shape(rows, config.heads(), config.tokens() + 1, config.headWidth());
        for (int layer = 0; layer < config.layers(); layer++) {
            keys.add(cache(cache));
            values.add(cache(cache));
        }
        long[] distinct = Arrays.stream(conditions).sorted().distinct().toArray();
        this.conditions_R = manager.create(conditions, new Shape(rows, 1));
        this.distinct_U = manager.create(distinct, new Shape(distinct.length, 1));
        this.ofRow_R = manager.create(Arrays.stream(conditions)
                .map(id -> Arrays.binarySearch(distinct, id))
                .toArray());
        this.chunk = Math.max(1, MODULATION_ROWS / distinct.length);
    }

    /** Zeros in the type that attention computes with. */
    private NDArray cache(Shape shape) {
        NDArray zeros = manager.zeros(shape, DataType.FLOAT32);
        if (!model.isBfloat16()) {
            return zeros;
        }
        try (TensorScope s = TensorScope.inference(manager);
                zeros) {
            return s.keep(s.to(zeros, DataType.BFLOAT16));
        }
    }

    /** Reads cls and class; logits [R, V] of the first token. */
    public NDArray prefill(TensorScope s) {
        requirePosition(0);
        RarWeights weights = model.weights();
        NDArray embedded_RSD = s.concatenate(
                1, s.expand(weights.cls(), rows, 1, config.hidden()), s.embedding(weights.embeddings(), conditions_R));
        NDArray x_RSD = s.add(embedded_RSD, s.narrow(weights.positions(), 1, 0, 2));
        if (config.targetAware()) {
            NDArray next_RSD = s.concatenate(1, s.zeros(rows, 1, config.hidden()), target(s, 0));
            x_RSD = s.add(x_RSD, next_RSD);
        }
        return advance(s, x_RSD, 2);
    }

    /** Reads the next token of each row (int64 [R]); logits [R, V] of the one after it. */
    public NDArray decode(TensorScope s, NDArray tokens_R) {
        int token = position - 2;
        if (token < 0 || token >= config.tokens() - 1) {
            throw new IllegalStateException("Cannot decode token " + token + " of " + config.tokens());
        }
        RarWeights weights = model.weights();
        NDArray x_RSD = s.add(
                s.embedding(weights.embeddings(), s.reshape(tokens_R, rows, 1)), place(s, weights.positions(), token));
        if (config.targetAware()) {
            x_RSD = s.add(x_RSD, target(s, token + 1));
        }
        return advance(s, x_RSD, 1);
    }

    private void requirePosition(int expected) {
        if (position != expected) {
            throw new IllegalStateException("The decoder is at position " + position + ", not " + expected);
        }
    }

    private NDArray target(TensorScope s, int token) {
        return place(s, model.weights().targetPositions(), token);
    }

    /** The rows [R, 1, D] of a position table at the places of the given token. */
    private NDArray place(TensorScope s, NDArray table_1PD, int token) {
        long[] places = new long[rows];
        Arrays.setAll(places, row -> 2 + orders[row][token]);
        return s.embedding(s.reshape(table_1PD, -1, config.hidden()), s.longs(places, rows, 1));
    }

    private NDArray advance(TensorScope s, NDArray x_RSD, int count) {
        if (!model.isBfloat16()) {
            return advanceBlocks(s, x_RSD, count);
        }
        try (Autocast autocast = Autocast.bfloat16(manager.getDevice())) {
            return advanceBlocks(s, x_RSD, count);
        }
    }

    /** Runs the blocks over {@code count} new positions. */
    private NDArray advanceBlocks(TensorScope s, NDArray x_RSD, int count) {
        modulateAhead(count);
        for (int layer = 0; layer < config.layers(); layer++) {
            try (TensorScope inner = s.open()) {
                x_RSD = inner.keep(block(inner, layer, x_RSD, count));
            }
        }
        NDArray last_R1D = s.narrow(x_RSD, 1, count - 1, 1);
        NDArray modulation = headModulation_UCM == null ? null : modulation(s, headModulation_UCM, count - 1, 1);
        NDArray logits_R1V = model.head(s, last_R1D, modulation);
        position += count;
        return s.reshape(logits_R1V, rows, config.codes());
    }

    private NDArray block(TensorScope s, int layer, NDArray x_RSD, int count) {
        Block block = model.weights().blocks().get(layer);
        if (modulations_UCM.isEmpty()) {
            NDArray y_RSD = s.add(x_RSD, attention(s, layer, RarModel.norm(s, x_RSD, block.norm1()), count));
            return s.add(y_RSD, mlp(s, layer, RarModel.norm(s, y_RSD, block.norm2())));
        }
        List<NDArray> m = s.split(modulation(s, modulations_UCM.get(layer), 0, count), -1, 6);
        NDArray attended_RSD =
                attention(s, layer, s.modulate(RarModel.norm(s, x_RSD, block.norm1()), m.get(0), m.get(1)), count);
        NDArray y_RSD = s.addGated(x_RSD, m.get(2), attended_RSD);
        return s.addGated(
                y_RSD, m.get(5), mlp(s, layer, s.modulate(RarModel.norm(s, y_RSD, block.norm2()), m.get(3), m.get(4))));
    }

    private NDArray mlp(TensorScope s, int layer, NDArray x_RSD) {
        return model.mlp(s, layer, x_RSD, KeyedDropout.NONE);
    }

    private NDArray attention(TensorScope s, int layer, NDArray x_RSD, int count) {
        Block block = model.weights().blocks().get(layer);
        NDArray[] qkv_RNSH = model.queriesKeysValues(s, block, x_RSD);
        s.copy(s.narrow(keys.get(layer), 2, position, count), qkv_RNSH[1]);
        s.copy(s.narrow(values.get(layer), 2, position, count), qkv_RNSH[2]);
        NDArray keys_RNSH = s.narrow(keys.get(layer), 2, 0, position + count);
        NDArray values_RNSH = s.narrow(values.get(layer), 2, 0, position + count);
        return model.merge(s, block, s.attention(qkv_RNSH[0], keys_RNSH, values_RNSH, count > 1));
    }

    // ---- modulation, a chunk of positions ahead ----

    /** Makes sure that the modulations of the next {@code count} positions are there. */
    private void modulateAhead(int count) {
        boolean there = modulationScope != null && position + count <= chunkStart + chunk;
        if (config.conditioning() == Conditioning.PLAIN || there) {
            return;
        }
        closeModulation();
        RarWeights weights = model.weights();
        int length = Math.min(Math.max(chunk, count), config.tokens() + 1 - position);
        modulationScope = TensorScope.inference(manager);
        chunkStart = position;
        TensorScope s = modulationScope;
        NDArray silu_UCD = s.silu(s.add(
                s.embedding(weights.embeddings(), distinct_U), s.narrow(weights.timesteps(), 1, position, length)));
        modulations_UCM = weights.blocks().stream()
                .map(block -> product(s, silu_UCD, block.modulation()))
                .toList();
        headModulation_UCM = product(s, silu_UCD, weights.headModulation());
    }

    private static NDArray product(TensorScope s, NDArray silu_UCD, Linear linear) {
        return RarModel.linear(s, silu_UCD, linear);
    }

    /** The modulation [R, count, M] of each row at {@code offset} positions past the current one. */
    private NDArray modulation(TensorScope s, NDArray modulation_UCM, int offset, int count) {
        NDArray here_USM = s.narrow(modulation_UCM, 1, position - chunkStart + offset, count);
        return s.indexSelect(here_USM, 0, ofRow_R);
    }

    private void closeModulation() {
        if (modulationScope != null) {
            modulationScope.close();
            modulationScope = null;
        }
    }

    @Override
    public void close() {
        closeModulation();
        manager.close();
    }
}
