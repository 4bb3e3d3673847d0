package io.github.rarspark.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.train.coordinator.Report;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class RankMonitorTest {
    private final AtomicLong nanos = new AtomicLong();
    private final RankMonitor monitor = new RankMonitor(
            Runs.recipe("none", Path.of("none"), "train.step_timeout_seconds", "30", "train.timeout_seconds", "100")
                    .train(),
            nanos::get);

    private void heard(int rank, long step) {
        monitor.heard(new Report.Heartbeat(rank, "e" + rank, "host" + rank, step, false));
    }

    /** Time passes while the driver checks every second. */
    private void pass(int seconds) {
        for (int i = 0; i < seconds; i++) {
            nanos.addAndGet(Duration.ofSeconds(1).toNanos());
            monitor.check();
        }
    }

    @Test
    void aRankThatFallsSilentIsNamedWithItsLastStep() {
        heard(0, 7);
        heard(1, 6);
        pass(20);
        heard(0, 9);
        pass(10);
        assertThatThrownBy(() -> pass(1))
                .isInstanceOfSatisfying(
                        JobException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.TEMPORARY))
                .hasMessage("Rank 1 of 2 (executor e1 on host1) has been silent for 30 s (train.step_timeout_seconds);"
                        + " its last step was 6");
        assertThat(monitor.verdict()).isPresent();
        assertThat(monitor.silent()).extracting(Report.Heartbeat::rank).containsExactly(1);
        assertThat(monitor.step()).isEqualTo(9);
    }

    @Test
    void aRankThatDoesNotStartIsNamed() {
        heard(1, 0);
        for (int i = 0; i < 100; i++) {
            pass(1);
            heard(1, 0);
        }
        assertThatThrownBy(() -> pass(1))
                .hasMessage("Rank 0 of 2 has not started within 100 s (train.timeout_seconds)");
    }

    @Test
    void aRankThatHasEndedIsNotSilent() {
        heard(0, 7);
        monitor.heard(new Report.Heartbeat(1, "e1", "host1", 7, true));
        pass(30);
        heard(0, 7);
        pass(30);
        assertThat(monitor.verdict()).isEmpty();
    }

    @Test
    void aStageThatWaitsForSlotsIsNotLate() {
        pass(1000);
        assertThat(monitor.verdict()).isEmpty();
        assertThat(monitor.step()).isZero();
    }

    /** As when the driver's machine was suspended: the ranks had no chance to be heard. */
    @Test
    void aPauseOfTheDriverIsNoSilence() {
        heard(0, 1);
        heard(1, 1);
        pass(1);
        nanos.addAndGet(Duration.ofHours(1).toNanos());
        monitor.check();
        pass(28);
        assertThat(monitor.verdict()).isEmpty();
        assertThatThrownBy(() -> pass(2)).hasMessageContaining("silent");
    }

    @Test
    void ranksWhoseExecutorsAreGoneAreLost() {
        heard(0, 3);
        heard(1, 4);
        assertThat(monitor.lost(List.of("e0", "e7")))
                .extracting(Report.Heartbeat::executor)
                .containsExactly("e1");
        assertThat(monitor.lost(List.of("e0", "e1"))).isEmpty();
    }
}
