package io.github.rarspark.train;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.conf.TrainSettings;
import io.github.rarspark.train.coordinator.Report;
import java.time.Duration;
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
    private final Map<Integer, Heard> newest = new TreeMap<>();
    private JobException verdict;
    private List<Report.Heartbeat> silent = List.of();
    private long startedAt;
    private long checkedAt;

    private record Heard(Report.Heartbeat heartbeat, long at) {
        Heard later(long nanos) {
            return new Heard(heartbeat, at + nanos);
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
        if (newest.isEmpty()) {
            startedAt = now;
            checkedAt = now;
        }
        newest.put(heartbeat.rank(), new Heard(heartbeat, now));
    }

    /** Whether a rank has started. */
    synchronized boolean hasBegun() {
        return !newest.isEmpty();
    }

    /** The most updates that a rank has made. */
    synchronized long step() {
        return newest.values().stream()
                .mapToLong(rank -> rank.heartbeat().step())
                .max()
                .orElse(0);
    }

    /**
     * Checks that all ranks are there.
     *
     * @throws JobException {@link ExitCode#TEMPORARY} if one has been silent for too long or has not started
     */
    synchronized void check() {
        if (!newest.isEmpty()) { // else the stage waits for slots
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
            newest.replaceAll((rank, heard) -> heard.later(pause));
        }
        silent = silentAt(now);
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
        return newest.values().stream()
                .map(Heard::heartbeat)
                .filter(heartbeat -> !executors.contains(heartbeat.executor()))
                .toList();
    }

    /** The last heartbeats of the ranks that were silent at the last {@link #check}. */
    synchronized List<Report.Heartbeat> silent() {
        return silent;
    }

    /** How a message names a rank. */
    String name(Report.Heartbeat rank) {
        return "Rank " + rank.rank() + " of " + ranks + " (executor " + rank.executor() + " on " + rank.host() + ")";
    }

    private List<Report.Heartbeat> silentAt(long now) {
        return newest.values().stream()
                .filter(rank -> !rank.heartbeat().last() && now - rank.at() > silenceLimit.toNanos())
                .map(Heard::heartbeat)
                .toList();
    }

    private Optional<Integer> missing() {
        for (int rank = 0; rank < ranks; rank++) {
            if (!newest.containsKey(rank)) {
                return Optional.of(rank);
            }
        }
        return Optional.empty();
    }
}
