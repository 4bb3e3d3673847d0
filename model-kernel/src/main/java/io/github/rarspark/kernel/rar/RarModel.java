package io.github.rarspark.kernel.rar;

import ai.djl.ndarray.NDArray;
import io.github.rarspark.kernel.rar.KeyedDropout.Site;
import io.github.rarspark.kernel.rar.RarWeights.Affine;
import io.github.rarspark.kernel.rar.RarWeights.Block;
import io.github.rarspark.kernel.rar.RarWeights.Linear;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.weights.NamedTensors;
import java.util.Arrays;
import java.util.List;

/**
 * The RAR transformer over whole sequences: training and scoring (Section 3 of the paper). Sampling is {@link
 * RarDecoder}'s.
 *
 * <p>Shapes: B samples, T image tokens, S positions (cls, class, tokens), U distinct conditions, D width, N heads, H
 * head width, V codes.
 */
public final class RarModel implements AutoCloseable {
    static final double EPS = 1e-6;

    private final RarConfig config;
    private final RarWeights weights;
    private final NamedTensors converted;

    /** A float32 model over tensors that the caller owns and that fit {@link RarConfig#parameters}. */
    public RarModel(RarConfig config, NamedTensors tensors) {
        this(config, tensors, null);
    }

    private RarModel(RarConfig config, NamedTensors tensors, NamedTensors converted) {
        this.config = config;
        this.weights = RarWeights.of(config, tensors);
        this.converted = converted;
    }

    /**
     * A model to sample from. In bfloat16 the linear layers are kept in that type, in copies that the model owns, and
     * sampling runs under autocast; the tensors given may be closed then.
     */
    public static RarModel forSampling(RarConfig config, NamedTensors tensors, boolean bfloat16) {
        if (!bfloat16) {
            return new RarModel(config, tensors);
        }
        NamedTensors converted = tensors.toBfloat16(RarModel::isLinear);
        return new RarModel(config, converted, converted);
    }

    /** Whether a name of the state dict is a linear layer's. */
    private static boolean isLinear(String name) {
        return name.matches(".*(qkv|proj|fc1|fc2|adaLN_modulation\\.1|lm_head)\\.(weight|bias)");
    }

    /** Whether the linear layers are in bfloat16, so that operations on them need autocast. */
    boolean isBfloat16() {
        return converted != null;
    }

    /** Frees what the model itself made; not the tensors it was given. */
    @Override
    public void close() {
        if (converted != null) {
            converted.close();
        }
    }

    /** The shape of the model. */
    public RarConfig config() {
        return config;
    }

    RarWeights weights() {
        return weights;
    }

    /**
     * Mean cross-entropy of the T predictions against the tokens; a scalar. The last token is only a target, so the
     * sequence ends before it.
     */
    public NDArray loss(TensorScope s, RarBatch batch, KeyedDropout dropout) {
        NDArray logits_BTV = logits(s, batch, config.tokens() - 1, dropout);
        NDArray logits_RV = s.reshape(logits_BTV, -1, config.codes());
        return s.crossEntropy(logits_RV, s.longs(batch.tokens(), batch.tokens().length));
    }

    /** Logits [B, T+1, V] of every position from the class on: the k-th row predicts the k-th token. */
    public NDArray logits(TensorScope s, RarBatch batch) {
        return logits(s, batch, config.tokens(), KeyedDropout.NONE);
    }

    /** Logits [B, known+1, V], given the first {@code known} tokens of each row. */
    private NDArray logits(TensorScope s, RarBatch batch, int known, KeyedDropout dropout) {
        NDArray x_BSD = s.add(embed(s, batch, known), positions(s, batch, known));
        Conditions conditions = config.conditioning() == Conditioning.ADALN ? conditions(s, batch, known + 2) : null;
        for (int layer = 0; layer < config.layers(); layer++) {
            // What a block computes on the way is freed behind it, but for what a backward pass will need.
            try (TensorScope inner = s.open()) {
                x_BSD = inner.keep(block(inner, layer, x_BSD, conditions, dropout));
            }
        }
        return head(s, x_BSD, conditions);
    }

    /** [cls, class, first tokens]. */
    private NDArray embed(TensorScope s, RarBatch batch, int known) {
        int rows = batch.rows();
        long[] ids = new long[rows * (known + 1)];
        for (int b = 0; b < rows; b++) {
            ids[b * (known + 1)] = batch.conditions()[b];
            System.arraycopy(batch.tokens(), b * config.tokens(), ids, b * (known + 1) + 1, known);
        }
        NDArray embedded = s.embedding(weights.embeddings(), s.longs(ids, rows, known + 1));
        return s.concatenate(1, s.expand(weights.cls(), rows, 1, config.hidden()), embedded);
    }

    /** Where each token is, plus where the token is that its position predicts. */
    private NDArray positions(TensorScope s, RarBatch batch, int known) {
        int rows = batch.rows();
        int length = known + 2;
        long[] own = new long[rows * length];
        for (int b = 0; b < rows; b++) {
            own[b * length + 1] = 1;
            for (int k = 0; k < known; k++) {
                own[b * length + 2 + k] = 2 + batch.orders()[b * config.tokens() + k];
            }
        }
        NDArray positions_BSD = rowsOf(s, weights.positions(), own, rows, length);
        if (!config.targetAware()) {
            return positions_BSD;
        }
        int predictions = Math.min(known + 1, config.tokens());
        long[] next = new long[rows * predictions];
        for (int b = 0; b < rows; b++) {
            for (int k = 0; k < predictions; k++) {
                next[b * predictions + k] = 2 + batch.orders()[b * config.tokens() + k];
            }
        }
        NDArray targets = rowsOf(s, weights.targetPositions(), next, rows, predictions);
        NDArray none = s.zeros(rows, 1, config.hidden());
        return s.add(
                positions_BSD,
                predictions + 1 == length ? s.concatenate(1, none, targets) : s.concatenate(1, none, targets, none));
    }

    private NDArray rowsOf(TensorScope s, NDArray table_1PD, long[] rows, int... shape) {
        NDArray table_PD = s.reshape(table_1PD, -1, config.hidden());
        return s.embedding(
                table_PD, s.longs(rows, Arrays.stream(shape).asLongStream().toArray()));
    }

    /** SiLU of class plus position, once for each distinct class of the batch, and which one each sample has. */
    private record Conditions(NDArray silu_USD, NDArray ofSample_B) {
        /** The modulation [B, S, n*D] of every sample's positions. */
        NDArray modulation(TensorScope s, Linear linear) {
            return s.indexSelect(s.linear(silu_USD, linear.weight(), linear.bias()), 0, ofSample_B);
        }
    }

    private Conditions conditions(TensorScope s, RarBatch batch, int length) {
        long[] distinct = batch.distinctConditions();
        long[] ofSample = Arrays.stream(batch.conditions())
                .map(id -> Arrays.binarySearch(distinct, id))
                .toArray();
        NDArray classes_U1D = s.embedding(weights.embeddings(), s.longs(distinct, distinct.length, 1));
        NDArray steps_1SD = s.narrow(weights.timesteps(), 1, 0, length);
        return new Conditions(s.silu(s.add(classes_U1D, steps_1SD)), s.longs(ofSample, ofSample.length));
    }

    private NDArray block(TensorScope s, int layer, NDArray x_BSD, Conditions conditions, KeyedDropout dropout) {
        Block block = weights.blocks().get(layer);
        if (conditions == null) {
            NDArray y_BSD = s.add(x_BSD, attention(s, layer, norm(s, x_BSD, block.norm1()), dropout));
            return s.add(y_BSD, mlp(s, layer, norm(s, y_BSD, block.norm2()), dropout));
        }
        NDArray modulation_BSM = conditions.modulation(s, block.modulation());
        List<NDArray> m = s.split(modulation_BSM, -1, 6);
        NDArray attended_BSD =
                attention(s, layer, s.modulate(norm(s, x_BSD, block.norm1()), m.get(0), m.get(1)), dropout);
        NDArray y_BSD = s.addGated(x_BSD, m.get(2), attended_BSD);
        NDArray expanded_BSD = mlp(s, layer, s.modulate(norm(s, y_BSD, block.norm2()), m.get(3), m.get(4)), dropout);
        return s.addGated(y_BSD, m.get(5), expanded_BSD);
    }

    private NDArray attention(TensorScope s, int layer, NDArray x_BSD, KeyedDropout dropout) {
        Block block = weights.blocks().get(layer);
        NDArray[] qkv_BNSH = queriesKeysValues(s, block, x_BSD);
        NDArray attended_BNSH = dropout.causalAttention(s, qkv_BNSH[0], qkv_BNSH[1], qkv_BNSH[2], layer);
        return dropout.apply(s, merge(s, block, attended_BNSH), layer, Site.PROJECTION);
    }

    /** Logits of every position but the first. */
    private NDArray head(TensorScope s, NDArray x_BSD, Conditions conditions) {
        long predictions = x_BSD.getShape().get(1) - 1;
        NDArray x_BPD = s.narrow(x_BSD, 1, 1, predictions);
        NDArray modulation = conditions == null
                ? null
                : s.narrow(conditions.modulation(s, weights.headModulation()), 1, 1, predictions);
        return head(s, x_BPD, modulation);
    }

    // ---- what sampling shares ----

    /** The head's normalization and projection; modulation [B, P, 2D] is (scale, shift), or null without. */
    NDArray head(TensorScope s, NDArray x_BPD, NDArray modulation) {
        NDArray normed;
        if (modulation == null) {
            normed = norm(s, x_BPD, weights.norm());
        } else {
            List<NDArray> m = s.split(modulation, -1, 2);
            normed = s.modulate(s.layerNorm(x_BPD, null, null, EPS), m.get(1), m.get(0));
        }
        return linear(s, normed, weights.head());
    }

    /** Normalized queries and keys, and values, [B, N, S, H] each. */
    NDArray[] queriesKeysValues(TensorScope s, Block block, NDArray x_BSD) {
        NDArray qkv = s.reshape(
                linear(s, x_BSD, block.qkv()),
                x_BSD.getShape().get(0),
                x_BSD.getShape().get(1),
                3 * config.heads(),
                config.headWidth());
        NDArray qkv_BMSH = s.permute(qkv, 0, 2, 1, 3);
        List<NDArray> parts = s.split(qkv_BMSH, 1, 3);
        return new NDArray[] {norm(s, parts.get(0), block.qNorm()), norm(s, parts.get(1), block.kNorm()), parts.get(2)};
    }

    /** The attention's output projection. */
    NDArray merge(TensorScope s, Block block, NDArray attended_BNSH) {
        NDArray attended_BSD = s.reshape(
                s.permute(attended_BNSH, 0, 2, 1, 3),
                attended_BNSH.getShape().get(0),
                attended_BNSH.getShape().get(2),
                config.hidden());
        return linear(s, attended_BSD, block.projection());
    }

    /** The MLP of a block. */
    NDArray mlp(TensorScope s, int layer, NDArray x_BSD, KeyedDropout dropout) {
        Block block = weights.blocks().get(layer);
        NDArray inner = s.gelu(linear(s, x_BSD, block.fc1()));
        NDArray outer = linear(s, dropout.apply(s, inner, layer, Site.MLP_INNER), block.fc2());
        return dropout.apply(s, outer, layer, Site.MLP_OUTER);
    }

    static NDArray norm(TensorScope s, NDArray x, Affine affine) {
        return s.layerNorm(x, affine.weight(), affine.bias(), EPS);
    }

    static NDArray linear(TensorScope s, NDArray x, Linear linear) {
        return s.linear(x, linear.weight(), linear.bias());
    }
}
