package io.github.rarspark.train;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.Failures;
import io.github.rarspark.common.JobException;
import io.github.rarspark.train.coordinator.Report;
import java.util.List;
import java.util.Optional;

/** Why a training ended: Spark says only that a task of the barrier stage failed. */
final class RankFailures {
    private RankFailures() {}

    /**
     * The reason to tell: what the driver refused, else what a rank reported, else what Spark says.
     *
     * @param stageFailure Spark's exception
     * @param refused what kept the driver from handling a report
     * @param reported by the ranks, in the order of their arrival
     */
    static JobException explain(
            int ranks, Exception stageFailure, Optional<Exception> refused, List<Report.Failure> reported) {
        if (refused.isPresent()) {
            return of(refused.get());
        }
        // A rank that ends for a reason of its own makes the others fail with a lost connection.
        return reported.stream()
                .filter(failure -> !failure.exitCode().retryable())
                .findFirst()
                .or(() -> reported.stream().findFirst())
                .map(failure -> new JobException(failure.exitCode(), message(failure, ranks), stageFailure))
                .orElseGet(() -> of(stageFailure));
    }

    private static JobException of(Exception cause) {
        return new JobException(Failures.exitCode(cause), Failures.message(cause), cause);
    }

    private static String message(Report.Failure failure, int ranks) {
        return failure.exitCode() == ExitCode.TEMPORARY
                ? "Rank " + failure.rank() + " of " + ranks + " lost the others (" + failure.message()
                        + "); run again to go on from the last checkpoint"
                : failure.message();
    }
}
