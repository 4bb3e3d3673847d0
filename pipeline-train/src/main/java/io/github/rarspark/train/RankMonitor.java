package io.github.rarspark.train;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.conf.TrainSettings;
import io.github.rarspark.train.coordinator.Report;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.LongSupplier;

/** What the heartbeats of a stage's ranks tell: which are there, which are silent, how far they are. Driver only. */
final class RankMonitor {
    /** Longer pauses between two checks are the driver's own, such as those of a suspended machine. */
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(2);

    private final int ranks;
    private final Duration startLimit;
    private final Duration silenceLimit;
    private final LongSupplier nanos;
    private final Map<Integer, Sign> signs = new TreeMap<>();
    private JobException verdict;
    private long startedAt;
    private long checkedAt;

    private record Sign(Report.Heartbeat heartbeat, long at) {
        Sign later(long nanos) {
            return new Sign(heartbeat, at + nanos);
        }
    }

    RankMonitor(TrainSettings settings, LongSupplier nanos) {
        this.ranks = settings.ranks();
        this.startLimit = Duration.ofSeconds(settings.timeoutSeconds());
        this.silenceLimit = Duration.ofSeconds(settings.stepTimeoutSeconds());
        this.nanos = nanos;
    }

    /** Takes a heartbeat. */
    synchronized void heard(Report.Heartbeat heartbeat) {
        long now = nanos.getAsLong();
        if (signs.isEmpty()) {
            startedAt = now;
            checkedAt = now;
        }
        signs.put(heartbeat.rank(), new Sign(heartbeat, now));
    }

    /** The most updates that a rank has made. */
    synchronized long step() {
        return signs.values().stream()
                .mapToLong(sign -> sign.heartbeat().step())
                .max()
                .orElse(0);
    }

    /**
     * Checks that all ranks are there.
     *
     * @throws JobException {@link ExitCode#TEMPORARY} if one has been silent for too long or has not started
     */
    synchronized void check() {
        if (!signs.isEmpty()) { // else the stage waits for slots
            absent().ifPresent(reason -> {
                verdict = new JobException(ExitCode.TEMPORARY, reason);
                throw verdict;
            });
        }
    }

    /** What {@link #check} threw. */
    synchronized Optional<JobException> verdict() {
        return Optional.ofNullable(verdict);
    }

    private Optional<String> absent() {
        long now = nanos.getAsLong();
        long pause = now - checkedAt;
        checkedAt = now;
        if (pause > LONGEST_PAUSE.toNanos()) {
            startedAt += pause;
            signs.replaceAll((rank, sign) -> sign.later(pause));
        }
        List<Report.Heartbeat> silent = silent(now);
        if (!silent.isEmpty()) {
            return Optional.of(name(silent.get(0)) + " has been silent for " + silenceLimit.toSeconds()
                    + " s (train.step_timeout_seconds); its last step was "
                    + silent.get(0).step());
        }
        return now - startedAt > startLimit.toNanos()
                ? missing()
                        .map(rank -> "Rank " + rank + " of " + ranks + " has not started within "
                                + startLimit.toSeconds() + " s (train.timeout_seconds)")
                : Optional.empty();
    }

    /** The last heartbeats of ranks whose executors are not among {@code executors}, which are alive. */
    synchronized List<Report.Heartbeat> lost(List<String> executors) {
        return signs.values().stream()
                .map(Sign::heartbeat)
                .filter(heartbeat -> !executors.contains(heartbeat.executor()))
                .toList();
    }

    /** The last heartbeats of the ranks that are silent. */
    synchronized List<Report.Heartbeat> silent() {
        return silent(nanos.getAsLong());
    }

    /** How a message names a rank. */
    String name(Report.Heartbeat rank) {
        return "Rank " + rank.rank() + " of " + ranks + " (executor " + rank.executor() + " on " + rank.host() + ")";
    }

    private List<Report.Heartbeat> silent(long now) {
        List<Report.Heartbeat> silent = new ArrayList<>();
        for (Sign sign : signs.values()) {
            if (!sign.heartbeat().last() && now - sign.at() > silenceLimit.toNanos()) {
                silent.add(sign.heartbeat());
            }
        }
        return silent;
    }

    private Optional<Integer> missing() {
        for (int rank = 0; rank < ranks; rank++) {
            if (!signs.containsKey(rank)) {
                return Optional.of(rank);
            }
        }
        return Optional.empty();
    }
}
