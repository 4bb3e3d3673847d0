package io.github.rarspark.train;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.Failures;
import io.github.rarspark.common.JobException;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.train.coordinator.Report;
import java.util.List;
import java.util.Optional;
import org.apache.spark.SparkException;
import org.junit.jupiter.api.Test;

class RankFailuresTest {
    private static final Exception STAGE = new IllegalStateException("a task of the barrier stage failed");
    private static final Report.Failure LOST =
            new Report.Failure(0, ExitCode.TEMPORARY, true, "connection closed by peer");
    private static final Report.Failure BAD_DATA = new Report.Failure(1, ExitCode.DATA, false, "token 900 is no code");

    @Test
    void whatTheDriverRefusedComesFirst() {
        Exception refused = new DataException("the checkpoint is damaged");
        JobException failure = RankFailures.explain(2, STAGE, Optional.of(refused), List.of(BAD_DATA));
        assertThat(failure).hasMessage("the checkpoint is damaged").hasCause(refused);
        assertThat(failure.exitCode()).isEqualTo(ExitCode.DATA);
    }

    @Test
    void aRanksOwnReasonComesBeforeTheLostConnectionsThatFollowIt() {
        JobException failure = RankFailures.explain(2, STAGE, Optional.empty(), List.of(LOST, BAD_DATA));
        assertThat(failure).hasMessage("token 900 is no code").hasCause(STAGE);
        assertThat(failure.exitCode()).isEqualTo(ExitCode.DATA);
    }

    @Test
    void aLostConnectionAloneAsksToRunAgain() {
        JobException failure = RankFailures.explain(2, STAGE, Optional.empty(), List.of(LOST));
        assertThat(failure)
                .hasMessage("Rank 0 of 2 lost the others (connection closed by peer); run again to resume from the last"
                        + " checkpoint");
        assertThat(failure.exitCode()).isEqualTo(ExitCode.TEMPORARY);
    }

    @Test
    void withoutReportsSparksReasonIsAllThereIs() {
        JobException failure = RankFailures.explain(2, STAGE, Optional.empty(), List.of());
        assertThat(failure).hasMessage(Failures.message(STAGE)).hasCause(STAGE);
        assertThat(failure.exitCode()).isEqualTo(Failures.exitCode(STAGE));
    }

    @Test
    void whatFailedByItselfComesBeforeWhatFollowed() {
        Report.Failure interrupted = new Report.Failure(2, ExitCode.INTERRUPTED, false, "cancelled");
        Report.Failure disk = new Report.Failure(1, ExitCode.TEMPORARY, false, "IOException: timed out");
        assertThat(RankFailures.explain(3, STAGE, Optional.empty(), List.of(interrupted, LOST, disk)))
                .hasMessage(
                        "Rank 1 of 3 failed (IOException: timed out); run again to resume from the last checkpoint");
        assertThat(RankFailures.explain(3, STAGE, Optional.empty(), List.of(interrupted, LOST))
                        .exitCode())
                .isEqualTo(ExitCode.TEMPORARY);
    }

    @Test
    void aRankOfOneHasNoOthersToLose() {
        assertThat(RankFailures.explain(1, STAGE, Optional.empty(), List.of(LOST)))
                .hasMessage("The training failed (connection closed by peer); run again to resume from the last"
                        + " checkpoint");
    }

    @Test
    void whatATaskThrewBeforeItCouldReportIsTheReason() {
        SparkException stage = new SparkException(
                "Stage failed because ResultTask(0, 1) finished unsuccessfully",
                new NoClassDefFoundError("io/github/X"));
        assertThat(RankFailures.explain(2, stage, Optional.empty(), List.of()))
                .hasMessage("NoClassDefFoundError: io/github/X");
    }
}
