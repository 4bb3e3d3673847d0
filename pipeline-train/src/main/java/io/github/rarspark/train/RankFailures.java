package io.github.rarspark.train;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.Failures;
import io.github.rarspark.common.JobException;
import io.github.rarspark.train.coordinator.Report;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.apache.spark.SparkException;

/** Why a stage of ranks failed: Spark says only that a task of the barrier stage failed. */
final class RankFailures {
    private RankFailures() {}

    /**
     * Why it failed.
     *
     * @param lostRank whether a rank is gone, rather than failed by itself
     * @param known whether it is the failure that began, rather than what others noticed of it
     */
    record Cause(JobException failure, boolean lostRank, boolean known) {
        Cause(JobException failure, boolean lostRank) {
            this(failure, lostRank, !lostRank);
        }
    }

    /**
     * The reason to tell: what the driver refused, else what a rank reported, else what a task threw, else what
     * Spark says.
     *
     * @param stageFailure Spark's exception
     * @param refused what kept the driver from handling a report
     * @param reported by the ranks, in the order of their arrival
     */
    static Cause explain(
            int ranks, Exception stageFailure, Optional<Throwable> refused, List<Report.Failure> reported) {
        if (refused.isPresent()) {
            return new Cause(of(refused.get()), false);
        }
        // A rank that ends for a reason of its own makes the others fail with a lost connection.
        return reported.stream()
                .min(Comparator.comparingInt(RankFailures::distanceFromTheCause))
                .map(failure -> new Cause(
                        new JobException(failure.exitCode(), message(failure, ranks), stageFailure),
                        failure.lostOthers() || failure.ends(),
                        !failure.lostOthers()))
                .orElseGet(() -> unreported(of(reason(stageFailure))));
    }

    private static Cause unreported(JobException failure) {
        return new Cause(failure, failure.exitCode() == ExitCode.TEMPORARY);
    }

    private static int distanceFromTheCause(Report.Failure failure) {
        if (!failure.exitCode().retryable()) {
            return 0;
        }
        if (failure.exitCode() == ExitCode.INTERRUPTED) {
            return 3; // Spark ends the other tasks of a stage that has failed.
        }
        return failure.lostOthers() ? 2 : 1;
    }

    /** What a task threw before it could report, if Spark knows it. */
    private static Throwable reason(Exception stageFailure) {
        return stageFailure instanceof SparkException && stageFailure.getCause() != null
                ? stageFailure.getCause()
                : stageFailure;
    }

    private static JobException of(Throwable cause) {
        return new JobException(Failures.exitCode(cause), Failures.message(cause), cause);
    }

    private static String message(Report.Failure failure, int ranks) {
        if (failure.exitCode() != ExitCode.TEMPORARY) {
            return failure.message();
        }
        String what = ranks == 1
                ? "The training failed"
                : "Rank " + failure.rank() + " of " + ranks + (failure.lostOthers() ? " lost the others" : " failed");
        return what + " (" + failure.message() + ")";
    }
}
