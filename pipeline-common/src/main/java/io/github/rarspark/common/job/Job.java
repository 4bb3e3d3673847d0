package io.github.rarspark.common.job;

import io.github.rarspark.common.run.Growth;
import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.run.Plan;
import java.io.IOException;

/**
 * A job that writes an output: {@linkplain #plan plan}, {@linkplain #runMissing run what is missing}, {@linkplain
 * #commit commit}. An implementation has a factory that takes a {@link JobContext}, checks the recipe and opens the
 * inputs, and writes nothing; {@link JobRunner} does the rest.
 *
 * @param <D> work that is done but not yet published
 */
public interface Job<D> {
    /** The directory that the job writes to, as the recipe names it. */
    String output();

    /**
     * Checks that the cluster and this machine can do the work; not called if it is finished already.
     *
     * @throws io.github.rarspark.common.JobException if they cannot
     */
    default void preFlight() throws IOException {}

    /** Whether the driver itself computes, instead of tasks. */
    default boolean computesOnDriver() {
        return false;
    }

    /** The plan of the job; reads and writes nothing. */
    Plan plan();

    /** Whether the work adds to what the output has already. */
    default Growth growth() {
        return Growth.NONE;
    }

    /** How many bytes the output takes at least, if that is known before the work: a device with less is refused. */
    default long leastBytes() {
        return 0;
    }

    /**
     * Does the work that earlier attempts have not finished. The plan to follow is {@code claim.plan()}, whose units
     * may be those of an earlier attempt.
     */
    D runMissing(OutputClaim claim) throws IOException;

    /**
     * Publishes the work: data first, then what readers trust, such as a manifest. The frame writes {@code result.json}
     * afterwards.
     */
    Outcome commit(OutputClaim claim, D done) throws IOException;
}
