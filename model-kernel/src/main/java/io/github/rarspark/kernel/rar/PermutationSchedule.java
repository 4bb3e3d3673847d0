package io.github.rarspark.kernel.rar;

/**
 * The probability that a training sample is permuted (Section 3.1 of the paper, "random annealing"): 1 before {@code
 * start}, 0 after {@code end}, linear in between.
 *
 * @param start the step at which annealing starts; if both are 0, training uses the target order only
 * @param end the step at which annealing ends
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
