package io.github.rarspark.train;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.Failures;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.error.NativeException;
import io.github.rarspark.train.RankFailures.Cause;
import io.github.rarspark.train.coordinator.Report;
import java.util.List;
import java.util.Optional;
import org.apache.spark.SparkException;
import org.junit.jupiter.api.Test;

class RankFailuresTest {
    private static final Exception STAGE = new IllegalStateException("a task of the barrier stage failed");
    private static final Report.Failure LOST =
            new Report.Failure(0, ExitCode.TEMPORARY, true, false, "connection closed by peer");
    private static final Report.Failure BAD_DATA =
            new Report.Failure(1, ExitCode.DATA, false, false, "token 900 is no code");

    @Test
    void whatTheDriverRefusedComesFirst() {
        Exception refused = new DataException("the checkpoint is damaged");
        Cause cause = RankFailures.explain(2, STAGE, Optional.of(refused), List.of(BAD_DATA));
        assertThat(cause.failure()).hasMessage("the checkpoint is damaged").hasCause(refused);
        assertThat(cause.failure().exitCode()).isEqualTo(ExitCode.DATA);
    }

    @Test
    void aRanksOwnReasonComesBeforeTheLostConnectionsThatFollowIt() {
        Cause cause = RankFailures.explain(2, STAGE, Optional.empty(), List.of(LOST, BAD_DATA));
        assertThat(cause.failure()).hasMessage("token 900 is no code").hasCause(STAGE);
        assertThat(cause.failure().exitCode()).isEqualTo(ExitCode.DATA);
    }

    @Test
    void aLostConnectionAloneIsALostRank() {
        Cause cause = RankFailures.explain(2, STAGE, Optional.empty(), List.of(LOST));
        assertThat(cause.failure()).hasMessage("Rank 0 of 2 lost the others (connection closed by peer)");
        assertThat(cause.lostRank()).isTrue();
        assertThat(cause.failure().exitCode()).isEqualTo(ExitCode.TEMPORARY);
    }

    @Test
    void withoutReportsSparksReasonIsAllThereIs() {
        Cause cause = RankFailures.explain(2, STAGE, Optional.empty(), List.of());
        assertThat(cause.failure()).hasMessage(Failures.message(STAGE)).hasCause(STAGE);
        assertThat(cause.failure().exitCode()).isEqualTo(Failures.exitCode(STAGE));
    }

    @Test
    void whatFailedByItselfComesBeforeWhatFollowed() {
        Report.Failure interrupted = new Report.Failure(2, ExitCode.INTERRUPTED, false, false, "cancelled");
        Report.Failure disk = new Report.Failure(1, ExitCode.TEMPORARY, false, false, "IOException: timed out");
        assertThat(RankFailures.explain(3, STAGE, Optional.empty(), List.of(interrupted, LOST, disk))
                        .failure())
                .hasMessage("Rank 1 of 3 failed (IOException: timed out)");
        assertThat(RankFailures.explain(3, STAGE, Optional.empty(), List.of(interrupted, LOST))
                        .failure()
                        .exitCode())
                .isEqualTo(ExitCode.TEMPORARY);
    }

    /** The ranks that lose it may report first. */
    @Test
    void aRankWhoseProcessEndsIsLostAndSaysWhy() {
        Report.Failure broken = Report.Failure.of(1, new NativeException("CUDA error: unspecified launch failure"));
        Cause cause = RankFailures.explain(2, STAGE, Optional.empty(), List.of(LOST, broken));
        assertThat(cause.lostRank()).isTrue();
        assertThat(cause.known()).isTrue();
        assertThat(cause.failure())
                .hasMessageStartingWith("Rank 1 of 2 failed (The GPU's context in this process is broken (CUDA error:"
                        + " unspecified launch failure)");
        assertThat(cause.failure().exitCode()).isEqualTo(ExitCode.TEMPORARY);
    }

    @Test
    void aRankOfOneHasNoOthersToLose() {
        assertThat(RankFailures.explain(1, STAGE, Optional.empty(), List.of(LOST))
                        .failure())
                .hasMessage("The training failed (connection closed by peer)");
    }

    @Test
    void whatATaskThrewBeforeItCouldReportIsTheReason() {
        SparkException stage = new SparkException(
                "Stage failed because ResultTask(0, 1) finished unsuccessfully",
                new NoClassDefFoundError("io/github/X"));
        assertThat(RankFailures.explain(2, stage, Optional.empty(), List.of()).failure())
                .hasMessage("NoClassDefFoundError: io/github/X");
    }
}
