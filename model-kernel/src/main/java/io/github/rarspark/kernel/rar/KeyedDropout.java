package io.github.rarspark.kernel.rar;

import ai.djl.ndarray.NDArray;
import io.github.rarspark.kernel.random.Purpose;
import io.github.rarspark.kernel.random.RandomStream;
import io.github.rarspark.kernel.tensor.TensorScope;
import java.util.Arrays;

/**
 * The dropout of one forward pass. A mask depends only on the seed, the step, the sample's row in the global batch, the
 * layer and the site, so it is the same for any number of ranks, any micro-batch and a recomputation.
 */
public final class KeyedDropout {
    /** No dropout: sampling, evaluation. */
    public static final KeyedDropout NONE = new KeyedDropout(0, new long[0]);

    /** Where a block applies dropout. The ordinal is part of the key. */
    enum Site {
        ATTENTION,
        PROJECTION,
        MLP_INNER,
        MLP_OUTER
    }

    private final double rate;
    private final long[] rowKeys;

    private KeyedDropout(double rate, long[] rowKeys) {
        this.rate = rate;
        this.rowKeys = rowKeys;
    }

    /**
     * The dropout of rows [firstRow, firstRow + rows) of a step's global batch.
     *
     * @param rate the probability that an activation is dropped, in [0, 1)
     */
    public static KeyedDropout of(double rate, long seed, long step, long firstRow, int rows) {
        long stepKey = RandomStream.key(seed, Purpose.DROPOUT, step);
        long[] keys = new long[rows];
        Arrays.setAll(keys, row -> RandomStream.extend(stepKey, firstRow + row));
        return new KeyedDropout(rate, keys);
    }

    private long[] keys(int layer, Site site) {
        long[] keys = new long[rowKeys.length];
        Arrays.setAll(keys, row -> RandomStream.extend(RandomStream.extend(rowKeys[row], layer), site.ordinal()));
        return keys;
    }

    NDArray apply(TensorScope s, NDArray x, int layer, Site site) {
        return rate == 0 ? x : s.dropout(x, rate, keys(layer, site));
    }

    /** {@link Attention} over whole sequences, each position attending to itself and those before it. */
    NDArray causalAttention(TensorScope s, int layer, Heads heads, NDArray qkv_BSM) {
        return heads.merge(s, causalAttention(s, layer, heads.split(s, qkv_BSM)));
    }

    /** The same for single heads, [B, N, S, H]. */
    NDArray causalAttention(TensorScope s, int layer, Heads.Split x) {
        return rate == 0
                ? s.attention(x.q_BNSH(), x.k_BNSH(), x.v_BNSH(), true)
                : s.attentionWithDropout(x.q_BNSH(), x.k_BNSH(), x.v_BNSH(), rate, keys(layer, Site.ATTENTION));
    }
}
