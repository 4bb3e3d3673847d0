package io.github.rarspark.train;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.Failures;
import io.github.rarspark.common.JobException;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.train.coordinator.Report;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class RankFailuresTest {
    private static final Exception STAGE = new IllegalStateException("a task of the barrier stage failed");
    private static final Report.Failure LOST = new Report.Failure(0, ExitCode.TEMPORARY, "connection closed by peer");
    private static final Report.Failure BAD_DATA = new Report.Failure(1, ExitCode.DATA, "token 900 is no code");

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
                .hasMessage("Rank 0 of 2 lost the others (connection closed by peer); run again to go on from the last"
                        + " checkpoint");
        assertThat(failure.exitCode()).isEqualTo(ExitCode.TEMPORARY);
    }

    @Test
    void withoutReportsSparksReasonIsAllThereIs() {
        JobException failure = RankFailures.explain(2, STAGE, Optional.empty(), List.of());
        assertThat(failure).hasMessage(Failures.message(STAGE)).hasCause(STAGE);
        assertThat(failure.exitCode()).isEqualTo(Failures.exitCode(STAGE));
    }
}
