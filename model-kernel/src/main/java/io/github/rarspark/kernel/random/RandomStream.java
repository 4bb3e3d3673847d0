package io.github.rarspark.kernel.random;

/**
 * An independent stream of random numbers, addressed by (seed, purpose, index...). The k-th number of a stream is the
 * splitmix64 output function at {@code key + (k + 1) * GAMMA}, so a stream needs no state but its position, and any
 * process that knows the address draws the same numbers. The native bridge computes the same function for dropout
 * masks.
 *
 * <p>Not thread-safe; not for cryptography. Source of the mixing function: Steele, Lea and Flood, "Fast splittable
 * pseudorandom number generators", OOPSLA 2014.
 */
public final class RandomStream {
    private static final long GAMMA = 0x9E3779B97F4A7C15L;
    private static final double TWO_TO_MINUS_53 = 0x1.0p-53;

    private final long key;
    private long position;

    private RandomStream(long key) {
        this.key = key;
    }

    /** The stream of {@code purpose} at {@code indices}, at its first number. */
    public static RandomStream of(long seed, Purpose purpose, long... indices) {
        return new RandomStream(key(seed, purpose, indices));
    }

    /** The key that addresses a stream; {@link #extend} derives those of longer addresses. */
    public static long key(long seed, Purpose purpose, long... indices) {
        // The seed is mixed in like an index, on top of a constant: mixed in alone, seed and purpose could be
        // exchanged.
        long key = extend(extend(GAMMA, seed), purpose.id());
        for (long index : indices) {
            key = extend(key, index);
        }
        return key;
    }

    /** The key of the stream at {@code key} extended by one more index. */
    public static long extend(long key, long index) {
        return mix(key ^ mix(index + GAMMA));
    }

    /** A 64-bit hash (FNV-1a over the UTF-8 bytes) of a name, for use as an index. */
    public static long hash(String name) {
        long hash = 0xcbf29ce484222325L;
        for (byte b : name.getBytes(java.nio.charset.StandardCharsets.UTF_8)) {
            hash = (hash ^ (b & 0xff)) * 0x100000001b3L;
        }
        return hash;
    }

    /** The output function of splitmix64: a bijection of 64-bit words. */
    public static long mix(long z) {
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }

    /** The next 64 bits. */
    public long nextLong() {
        return mix(key + ++position * GAMMA);
    }

    /** The next number, uniform in [0, 1) in steps of 2^-53. */
    public double nextDouble() {
        return (nextLong() >>> 11) * TWO_TO_MINUS_53;
    }

    /**
     * The next integer, uniform in [0, bound), without bias (rejection).
     *
     * @throws IllegalArgumentException if {@code bound} is not positive
     */
    public int nextInt(int bound) {
        if (bound <= 0) {
            throw new IllegalArgumentException("Cannot draw below " + bound + ": the bound must be positive");
        }
        long limit = Long.MAX_VALUE - Long.MAX_VALUE % bound;
        long bits;
        do {
            bits = nextLong() >>> 1;
        } while (bits >= limit);
        return (int) (bits % bound);
    }

    /** The next number of the standard normal distribution (Box-Muller, the cosine half). */
    public double nextGaussian() {
        double radius = Math.sqrt(-2 * Math.log(1 - nextDouble()));
        return radius * Math.cos(2 * Math.PI * nextDouble());
    }

    /** A uniform permutation of 0..n-1 (Fisher-Yates). */
    public int[] nextPermutation(int n) {
        int[] order = new int[n];
        for (int i = 0; i < n; i++) {
            order[i] = i;
        }
        for (int i = n - 1; i > 0; i--) {
            int j = nextInt(i + 1);
            int swap = order[i];
            order[i] = order[j];
            order[j] = swap;
        }
        return order;
    }
}
