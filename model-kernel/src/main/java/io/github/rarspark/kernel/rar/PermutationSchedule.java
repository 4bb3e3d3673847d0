package io.github.rarspark.kernel.rar;

/**
 * How likely a training sample is permuted (Section 3.1 of the paper, "random annealing"): always before {@code start},
 * never after {@code end}, linearly less in between.
 *
 * @param start the step at which annealing starts; 0 with {@code end} 0 is training in the target order alone
 * @param end the step at which it has ended
 */
public record PermutationSchedule(long start, long end) {
    /** The probability that a sample of update {@code step}, counted from 0, is permuted. */
    public double probability(long step) {
        if (step < start) {
            return 1;
        }
        return step >= end ? 0 : 1 - (double) (step - start) / (end - start);
    }
}
