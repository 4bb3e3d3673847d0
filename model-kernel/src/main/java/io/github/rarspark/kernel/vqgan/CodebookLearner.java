package io.github.rarspark.kernel.vqgan;

import io.github.rarspark.kernel.random.Purpose;
import io.github.rarspark.kernel.random.RandomStream;
import java.util.Arrays;

/**
 * Learns the codes without gradients: each is the exponential average of the latents that chose it (van den Oord et
 * al., "Neural discrete representation learning", 2017, appendix A.1), starts as a k-means centroid, and is restarted
 * at a poorly represented latent when no latent has chosen it for some time. Computed on the calling thread in a fixed
 * order, so the result does not depend on the number of threads.
 */
final class CodebookLearner {
    private static final double DECAY = 0.99;
    private static final int LLOYD_ITERATIONS = 10;

    private final int codes;
    private final int dimension;
    private final float[] book;
    private final double[] counts;
    private final double[] sums;
    private final long[] lastChosen;

    /** Codes that are all zero until {@link #start}. */
    CodebookLearner(int codes, int dimension) {
        this.codes = codes;
        this.dimension = dimension;
        this.book = new float[codes * dimension];
        this.counts = new double[codes];
        this.sums = new double[codes * dimension];
        this.lastChosen = new long[codes];
    }

    /** The codes, row-major [codes, dimension]; changed in place by this object. */
    float[] book() {
        return book;
    }

    /**
     * Initializes the codes with the centroids of k-means (seeded by Arthur and Vassilvitskii, "k-means++", 2007).
     *
     * @param latents row-major [n, dimension], n at least the number of codes
     */
    void start(float[] latents, long seed, long step) {
        RandomStream random = RandomStream.of(seed, Purpose.CODEBOOK_RESTART, step);
        int rows = latents.length / dimension;
        float[] distances = new float[rows];
        Arrays.fill(distances, 1);
        for (int code = 0; code < codes; code++) {
            copyRow(latents, draw(distances, random), code);
            for (int row = 0; row < rows; row++) {
                float distance = distance(latents, row, code);
                distances[row] = code == 0 ? distance : Math.min(distances[row], distance);
            }
        }
        long[] nearest = new long[rows];
        for (int iteration = 0; iteration < LLOYD_ITERATIONS; iteration++) {
            for (int row = 0; row < rows; row++) {
                nearest[row] = nearest(latents, row);
            }
            Arrays.fill(counts, 0);
            Arrays.fill(sums, 0);
            accumulate(latents, nearest, 1);
            average();
        }
        Arrays.fill(lastChosen, step);
    }

    /**
     * Moves the codes towards the latents that chose them.
     *
     * @param latents row-major [n, dimension]
     * @param tokens the chosen code of each row
     */
    void update(float[] latents, long[] tokens, long step) {
        for (int i = 0; i < counts.length; i++) {
            counts[i] *= DECAY;
        }
        for (int i = 0; i < sums.length; i++) {
            sums[i] *= DECAY;
        }
        accumulate(latents, tokens, 1 - DECAY);
        average();
        for (long token : tokens) {
            lastChosen[(int) token] = step;
        }
    }

    /**
     * Restarts the codes that no latent has chosen since {@code unusedSince}, each at a latent drawn with probability
     * proportional to the squared distance from its code.
     *
     * @return the number of restarted codes
     */
    int restart(float[] latents, long[] tokens, long unusedSince, long seed, long step) {
        RandomStream random = RandomStream.of(seed, Purpose.CODEBOOK_RESTART, step);
        float[] distances = new float[tokens.length];
        for (int row = 0; row < tokens.length; row++) {
            distances[row] = distance(latents, row, (int) tokens[row]);
        }
        double averageCount = Arrays.stream(counts).sum() / codes;
        int restarted = 0;
        for (int code = 0; code < codes; code++) {
            if (lastChosen[code] < unusedSince) {
                int row = draw(distances, random);
                copyRow(latents, row, code);
                counts[code] = averageCount;
                for (int i = 0; i < dimension; i++) {
                    sums[code * dimension + i] = averageCount * book[code * dimension + i];
                }
                lastChosen[code] = step;
                distances[row] = 0;
                restarted++;
            }
        }
        return restarted;
    }

    private void accumulate(float[] latents, long[] tokens, double weight) {
        for (int row = 0; row < tokens.length; row++) {
            int code = (int) tokens[row];
            counts[code] += weight;
            for (int i = 0; i < dimension; i++) {
                sums[code * dimension + i] += weight * latents[row * dimension + i];
            }
        }
    }

    /** Sets each chosen code to the average of the latents that chose it. */
    private void average() {
        for (int code = 0; code < codes; code++) {
            if (counts[code] > 0) {
                for (int i = 0; i < dimension; i++) {
                    book[code * dimension + i] = (float) (sums[code * dimension + i] / counts[code]);
                }
            }
        }
    }

    private int nearest(float[] latents, int row) {
        int best = 0;
        float bestDistance = Float.POSITIVE_INFINITY;
        for (int code = 0; code < codes; code++) {
            float distance = distance(latents, row, code);
            if (distance < bestDistance) {
                bestDistance = distance;
                best = code;
            }
        }
        return best;
    }

    private float distance(float[] latents, int row, int code) {
        float distance = 0;
        for (int i = 0; i < dimension; i++) {
            float difference = latents[row * dimension + i] - book[code * dimension + i];
            distance += difference * difference;
        }
        return distance;
    }

    private void copyRow(float[] latents, int row, int code) {
        System.arraycopy(latents, row * dimension, book, code * dimension, dimension);
    }

    /** Draws an index with probability proportional to its weight. */
    private static int draw(float[] weights, RandomStream random) {
        double total = 0;
        for (float weight : weights) {
            total += weight;
        }
        double target = random.nextDouble() * total;
        int index = 0;
        for (double sum = weights[0]; sum <= target && index < weights.length - 1; sum += weights[index]) {
            index++;
        }
        return index;
    }
}
