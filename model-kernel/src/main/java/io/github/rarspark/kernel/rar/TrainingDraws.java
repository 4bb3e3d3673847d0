package io.github.rarspark.kernel.rar;

import io.github.rarspark.kernel.random.Purpose;
import io.github.rarspark.kernel.random.RandomStream;

/**
 * The random choices of training, each a function of (seed, step, row of the global batch), so that any number of ranks
 * draws the same.
 *
 * @param seed of the run
 * @param space the ids of classes
 * @param targetOrder the order that training anneals to
 * @param schedule the probability that a random order is drawn instead
 * @param classDrop the probability that a sample's class is dropped
 */
public record TrainingDraws(
        long seed, TokenSpace space, int[] targetOrder, PermutationSchedule schedule, double classDrop) {
    /** The prediction order of the sample at {@code row} of {@code step}. */
    public int[] order(long step, long row) {
        RandomStream stream = orderStream(step, row);
        return isPermuted(stream, step) ? stream.nextPermutation(targetOrder.length) : targetOrder;
    }

    /** Whether {@link #order} draws a random order rather than the target order. */
    public boolean isPermuted(long step, long row) {
        return isPermuted(orderStream(step, row), step);
    }

    private RandomStream orderStream(long step, long row) {
        return RandomStream.of(seed, Purpose.PERMUTATION, step, row);
    }

    private boolean isPermuted(RandomStream stream, long step) {
        return stream.nextDouble() < schedule.probability(step);
    }

    /** The condition of the sample at {@code row}: its class, or "no class" if dropped. */
    public long condition(long step, long row, int label) {
        boolean dropped = RandomStream.of(seed, Purpose.CLASS_DROP, step, row).nextDouble() < classDrop;
        return dropped ? space.noClass() : space.classId(label);
    }

    /**
     * The batch of the samples at rows [firstRow, firstRow + labels.length) of a step's global batch.
     *
     * @param rasterTokens {@code [B][T]}
     * @param labels {@code [B]}, from 0
     */
    public RarBatch batch(long step, long firstRow, long[][] rasterTokens, int[] labels) {
        long[] conditions = new long[labels.length];
        int[][] orders = new int[labels.length][];
        for (int b = 0; b < labels.length; b++) {
            conditions[b] = condition(step, firstRow + b, labels[b]);
            orders[b] = order(step, firstRow + b);
        }
        return RarBatch.ordered(rasterTokens, orders, conditions);
    }
}
