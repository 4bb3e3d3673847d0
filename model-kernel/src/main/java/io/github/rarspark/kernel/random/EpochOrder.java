package io.github.rarspark.kernel.random;

import java.util.Objects;

/**
 * The order of the samples in an epoch: a permutation of 0..n-1 keyed by (seed, epoch), computable at any position in
 * constant time and memory, so that any rank finds its samples and any restart resumes at its position.
 *
 * <p>A balanced Feistel network permutes the smallest range of 2^(2h) numbers that holds n; numbers outside of 0..n-1
 * are permuted again until they fall inside (cycle walking; fewer than four times on average). Source: Black and
 * Rogaway, "Ciphers with arbitrary finite domains", CT-RSA 2002.
 */
public final class EpochOrder {
    private static final int ROUNDS = 8;

    private final long size;
    private final int halfBits;
    private final long mask;
    private final long[] roundKeys = new long[ROUNDS];

    /**
     * Creates the order of {@code size} samples in epoch {@code epoch}.
     *
     * @throws IllegalArgumentException if {@code size} is not positive or exceeds 2^62
     */
    public EpochOrder(long seed, long epoch, long size) {
        if (size <= 0 || size > 1L << 62) {
            throw new IllegalArgumentException("Cannot order " + size + " samples: expected 1 to 2^62");
        }
        this.size = size;
        int bits = 64 - Long.numberOfLeadingZeros(size - 1);
        this.halfBits = Math.max(1, (bits + 1) / 2);
        this.mask = (1L << halfBits) - 1;
        long key = RandomStream.key(seed, Purpose.EPOCH_ORDER, epoch);
        for (int i = 0; i < ROUNDS; i++) {
            roundKeys[i] = RandomStream.extend(key, i);
        }
    }

    /** The number of samples. */
    public long size() {
        return size;
    }

    /**
     * The sample at {@code position} of the epoch.
     *
     * @throws IndexOutOfBoundsException if the position is not in 0..size-1
     */
    public long sampleAt(long position) {
        long sample = Objects.checkIndex(position, size);
        do {
            sample = permute(sample);
        } while (sample >= size);
        return sample;
    }

    private long permute(long x) {
        long left = x >>> halfBits;
        long right = x & mask;
        for (long key : roundKeys) {
            long mixed = left ^ (RandomStream.mix(key ^ right) & mask);
            left = right;
            right = mixed;
        }
        return left << halfBits | right;
    }
}
