package io.github.rarspark.train;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.conf.TrainSettings;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.LongSupplier;

/**
 * Decides whether a failed stage is followed by another. A failure that may pass is, within {@code train.max_restarts} in
 * {@code train.restart_window_minutes}; one before the first update is only if a rank was lost, and not twice in a row,
 * since it would probably happen again.
 */
final class Restarts {
    private static final Duration FIRST_PAUSE = Duration.ofSeconds(1);
    private static final int MOST_DOUBLINGS = 6;
    private static final int MOST_FRUITLESS = 2;

    private final int most;
    private final double windowMinutes;
    private final LongSupplier nanos;
    private final Deque<Long> recent = new ArrayDeque<>();
    private int fruitless;
    private int count;

    Restarts(TrainSettings settings, LongSupplier nanos) {
        this.most = settings.maxRestarts();
        this.windowMinutes = settings.restartWindowMinutes();
        this.nanos = nanos;
    }

    /** The restarts so far. */
    int count() {
        return count;
    }

    /**
     * Counts a restart after {@code failure}.
     *
     * @param lostRank whether a rank was lost, rather than failed by itself
     * @param updated whether the stage made an update
     * @return how long to wait before the next stage
     * @throws JobException the failure, if it ends the training
     */
    Duration after(JobException failure, boolean lostRank, boolean updated) {
        fruitless = updated ? 0 : fruitless + 1;
        boolean mayPass = failure.exitCode() == ExitCode.TEMPORARY || failure.exitCode() == ExitCode.UNAVAILABLE;
        if (!mayPass || !updated && !lostRank || fruitless == MOST_FRUITLESS || most == 0) {
            throw ended(failure, "");
        }
        long now = nanos.getAsLong();
        while (!recent.isEmpty()
                && now - recent.getFirst()
                        > windowMinutes * Duration.ofMinutes(1).toNanos()) {
            recent.removeFirst();
        }
        if (recent.size() >= most) {
            throw ended(
                    failure,
                    " after " + recent.size() + " restarts within " + Math.round(windowMinutes)
                            + " minutes (train.max_restarts)");
        }
        recent.addLast(now);
        count++;
        return FIRST_PAUSE.multipliedBy(1L << Math.min(MOST_DOUBLINGS, recent.size() - 1));
    }

    private static JobException ended(JobException failure, String circumstances) {
        String advice =
                failure.exitCode() == ExitCode.TEMPORARY ? "; run again to resume from the last checkpoint" : "";
        return new JobException(failure.exitCode(), failure.getMessage() + circumstances + advice, failure);
    }
}
