package io.github.rarspark.train;

import io.github.rarspark.common.tokens.TokenStore;
import io.github.rarspark.kernel.random.EpochOrder;

/**
 * The samples in the order of training: position p of the run is sample {@code p mod n} of epoch {@code p / n}'s order,
 * whatever the number of ranks.
 */
final class TrainingSamples {
    private final TokenStore store;
    private final int tokensPerRow;
    private final long seed;
    private EpochOrder order;
    private long epoch = -1;

    TrainingSamples(TokenStore store, int tokensPerRow, long seed) {
        this.tokensPerRow = tokensPerRow;
        this.store = store;
        this.seed = seed;
    }

    /** The labels and tokens at positions [first, first + count) of the run. */
    Rows rows(long first, int count) {
        int[] labels = new int[count];
        long[][] tokens = new long[count][tokensPerRow];
        for (int i = 0; i < count; i++) {
            long sample = sampleAt(first + i);
            labels[i] = store.classId(sample);
            store.copyTokens(sample, tokens[i], 0);
        }
        return new Rows(labels, tokens);
    }

    private long sampleAt(long position) {
        long wanted = position / store.rows();
        if (wanted != epoch) {
            epoch = wanted;
            order = new EpochOrder(seed, epoch, store.rows());
        }
        return order.sampleAt(position % store.rows());
    }

    /**
     * Samples of a batch.
     *
     * @param labels {@code [B]}
     * @param tokens {@code [B][T]}
     */
    record Rows(int[] labels, long[][] tokens) {}
}
