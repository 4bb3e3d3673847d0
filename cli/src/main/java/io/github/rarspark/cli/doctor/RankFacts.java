package io.github.rarspark.cli.doctor;

import java.io.Serializable;
import java.util.List;

/**
 * What one of the tasks that start together found out.
 *
 * @param rank its number
 * @param executor the executor that runs it
 * @param unreached the connections that were not made, one sentence each
 * @param collective what the all-reduce was; null if it was not tried, because connections were not made or another rank cannot compute
 */
record RankFacts(int rank, String executor, List<String> unreached, Probed<Collective> collective)
        implements Serializable {
    /**
     * An all-reduce.
     *
     * @param backend that ran it
     * @param warning what makes it slow; null if nothing does
     * @param bytesPerSecond of the tensor
     */
    record Collective(String backend, String warning, double bytesPerSecond) implements Serializable {}
}
