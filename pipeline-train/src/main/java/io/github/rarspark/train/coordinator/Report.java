package io.github.rarspark.train.coordinator;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.Failures;
import io.github.rarspark.common.storage.Stored;
import io.github.rarspark.kernel.error.CommunicationException;
import java.util.List;

/** What a rank tells the driver. */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "type")
@JsonSubTypes({
    @JsonSubTypes.Type(value = Report.Heartbeat.class, name = "heartbeat"),
    @JsonSubTypes.Type(value = Report.Progress.class, name = "progress"),
    @JsonSubTypes.Type(value = Report.Grid.class, name = "grid"),
    @JsonSubTypes.Type(value = Report.Warning.class, name = "warning"),
    @JsonSubTypes.Type(value = Report.Checkpoint.class, name = "checkpoint"),
    @JsonSubTypes.Type(value = Report.Failure.class, name = "failure")
})
public sealed interface Report {
    /**
     * The rank is alive.
     *
     * @param rank which one
     * @param executor Spark's id of its executor
     * @param host of the executor
     * @param step updates made so far; 0 until the ranks have joined
     * @param last whether no other will come, because the rank ends
     */
    record Heartbeat(int rank, String executor, String host, long step, boolean last) implements Report {}

    /**
     * Progress: an update was made.
     *
     * @param step updates made so far
     * @param loss mean cross-entropy of this update's global batch
     * @param lossPermuted of its samples in random orders; null if it has none
     * @param lossScanOrder of its samples in the scan order; null if it has none
     * @param permutationProbability of a sample of this update
     * @param learningRate of this update
     * @param gradientNorm before clipping
     * @param imagesPerSecond of all ranks, since the last report
     * @param timeShares where the time since the last report went
     * @param skipped how many of the updates changed nothing, because of their gradient
     * @param restarts of the attempt, before this update
     */
    record Progress(
            long step,
            double loss,
            Double lossPermuted,
            Double lossScanOrder,
            double permutationProbability,
            double learningRate,
            double gradientNorm,
            double imagesPerSecond,
            TimeShares timeShares,
            long skipped,
            int restarts)
            implements Report {}

    /**
     * Shares of the time of all ranks, by their clocks. What is missing to 1 went into reports, samples and checkpoints.
     *
     * @param data reading samples and drawing orders
     * @param forward computing the loss
     * @param backward computing gradients, and all of the all-reduce that this hides
     * @param allReduce waiting for the gradients of other ranks
     * @param optimizer clipping and applying gradients
     */
    record TimeShares(double data, double forward, double backward, double allReduce, double optimizer) {}

    /**
     * A sample grid was written.
     *
     * @param step updates made so far
     * @param path of the picture
     */
    record Grid(long step, String path) implements Report {}

    /**
     * Something that a person should know, although the training continues.
     *
     * @param rank which one warns
     * @param step updates made so far
     * @param message one line
     */
    record Warning(int rank, long step, String message) implements Report {}

    /**
     * The files of a checkpoint are complete; it counts once the driver has published its manifest.
     *
     * @param step updates made so far
     * @param directory name below {@code checkpoints/}
     * @param files what was written there
     */
    record Checkpoint(long step, String directory, List<Stored> files) implements Report {}

    /**
     * The rank failed. Spark tells the driver only that a task of a barrier stage failed, not why.
     *
     * @param rank which one
     * @param exitCode the exit code of the failure
     * @param lostOthers whether it was caused by the loss of another rank
     * @param ends whether its process ends with it, on a cluster
     * @param message one line
     */
    record Failure(int rank, ExitCode exitCode, boolean lostOthers, boolean ends, String message) implements Report {
        /** What ended {@code rank}. */
        public static Failure of(int rank, Throwable failure) {
            return new Failure(
                    rank,
                    Failures.exitCode(failure),
                    failure instanceof CommunicationException,
                    Failures.isBrokenGpu(failure),
                    Failures.message(failure));
        }
    }
}
