package io.github.rarspark.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class RestartsTest {
    private static final JobException LOST = new JobException(ExitCode.TEMPORARY, "Rank 1 of 2 was lost");

    private final AtomicLong nanos = new AtomicLong();

    private Restarts restarts(int most) {
        return new Restarts(
                Runs.recipe(
                                "none",
                                Path.of("none"),
                                "train.max_restarts",
                                Integer.toString(most),
                                "train.restart_window_minutes",
                                "30")
                        .train(),
                nanos::get);
    }

    @Test
    void pausesGrowUpToAMinute() {
        Restarts restarts = restarts(9);
        List<Long> seconds = new ArrayList<>();
        for (int i = 0; i < 9; i++) {
            seconds.add(restarts.after(LOST, true, true).toSeconds());
        }
        assertThat(seconds).containsExactly(1L, 2L, 4L, 8L, 16L, 32L, 64L, 64L, 64L);
        assertThat(restarts.count()).isEqualTo(9);
    }

    @Test
    void restartsAreLimitedWithinTheWindow() {
        Restarts restarts = restarts(2);
        restarts.after(LOST, true, true);
        nanos.addAndGet(Duration.ofMinutes(20).toNanos());
        restarts.after(LOST, true, true);
        assertThatThrownBy(() -> restarts.after(LOST, true, true))
                .isInstanceOf(JobException.class)
                .hasMessage("Rank 1 of 2 was lost after 2 restarts within 30 minutes (train.max_restarts);"
                        + " run again to resume from the last checkpoint");
        nanos.addAndGet(Duration.ofMinutes(11).toNanos());
        assertThat(restarts.after(LOST, true, true))
                .as("the first no longer counts")
                .isEqualTo(Duration.ofSeconds(2));
    }

    @Test
    void aRanksOwnFailureBeforeItsFirstUpdateIsNotRepeated() {
        JobException own = new JobException(ExitCode.UNAVAILABLE, "Cannot reach the driver");
        assertThatThrownBy(() -> restarts(10).after(own, false, false)).hasMessage("Cannot reach the driver");
        assertThat(restarts(10).after(own, false, true)).isEqualTo(Duration.ofSeconds(1));
    }

    @Test
    void aLossBeforeTheFirstUpdateIsNotRepeatedTwiceInARow() {
        Restarts restarts = restarts(10);
        restarts.after(LOST, true, false);
        restarts.after(LOST, true, true);
        restarts.after(LOST, true, false);
        assertThatThrownBy(() -> restarts.after(LOST, true, false))
                .hasMessage("Rank 1 of 2 was lost; run again to resume from the last checkpoint");
    }

    @Test
    void whatDoesNotPassIsNotRepeated() {
        for (ExitCode code : List.of(ExitCode.DATA, ExitCode.INTERNAL, ExitCode.INTERRUPTED, ExitCode.USAGE)) {
            assertThatThrownBy(() -> restarts(10).after(new JobException(code, "no"), true, true))
                    .as(code.name())
                    .hasMessage("no");
        }
        assertThatThrownBy(() -> restarts(0).after(LOST, true, true)).hasMessageStartingWith("Rank 1 of 2 was lost;");
    }
}
