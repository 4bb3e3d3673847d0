package io.github.rarspark.train;

/**
 * Sums of the losses of samples, by whether they were predicted in a random order or in the scan order.
 *
 * @param permuted sum of the losses of permuted samples
 * @param permutedRows how many these are
 * @param scanOrder sum of the losses of the others
 * @param scanOrderRows how many these are
 */
record LossSplit(double permuted, long permutedRows, double scanOrder, long scanOrderRows) {
    static final LossSplit NONE = new LossSplit(0, 0, 0, 0);

    LossSplit plus(LossSplit other) {
        return new LossSplit(
                permuted + other.permuted,
                permutedRows + other.permutedRows,
                scanOrder + other.scanOrder,
                scanOrderRows + other.scanOrderRows);
    }
}
