package io.github.rarspark.common.run;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Renews a lease three times per lease period, in the background. If it could not be renewed for a whole period,
 * another driver may have taken over, and the lease is lost; a second thread watches for this, because a write may
 * hang. Driver only.
 */
final class Heartbeat implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Heartbeat.class);
    private static final int PER_LEASE = 3;
    private static final int CHECKS_PER_LEASE = 30;

    /** Renews the lease. */
    @FunctionalInterface
    interface Beat {
        /** Writes the heartbeat. */
        void write() throws IOException;
    }

    private final String directory;
    private final Duration lease;
    private final Pace pace;
    private final Beat beat;
    private final Consumer<String> lost;
    private final ScheduledExecutorService threads;
    private volatile long lastNanos;
    private volatile String lastFailure = "the storage did not answer";

    /**
     * Creates a heartbeat, which begins with {@link #start}.
     *
     * @param lost receives the reason why the lease is lost, at least once
     */
    Heartbeat(String directory, Duration lease, Pace pace, Beat beat, Consumer<String> lost) {
        this.directory = directory;
        this.lease = lease;
        this.pace = pace;
        this.beat = beat;
        this.lost = lost;
        this.threads = Executors.newScheduledThreadPool(2, task -> {
            Thread thread = new Thread(task, "heartbeat");
            thread.setDaemon(true);
            return thread;
        });
    }

    /** Writes the first heartbeat on this thread, and later ones in the background. */
    void start() throws IOException {
        renew();
        schedule(this::renewOrNote, lease.toMillis() / PER_LEASE);
        schedule(this::checkLease, lease.toMillis() / CHECKS_PER_LEASE);
    }

    private void schedule(Runnable task, long periodMillis) {
        long period = Math.max(1, periodMillis);
        threads.scheduleAtFixedRate(task, period, period, TimeUnit.MILLISECONDS);
    }

    /** Writes a heartbeat. */
    void renew() throws IOException {
        // The lease counts from before the write: another driver may see it any time from then on.
        long before = pace.nanos();
        beat.write();
        lastNanos = before;
    }

    private void renewOrNote() {
        try {
            renew();
        } catch (IOException | RuntimeException e) {
            // The next one may get through.
            LOG.warn("Cannot write a heartbeat to {}", directory, e);
            lastFailure = String.valueOf(e.getMessage());
        }
    }

    /** Reports the lease as lost if it has expired. */
    private void checkLease() {
        if (pace.nanos() - lastNanos >= lease.toNanos()) {
            lost.accept("its heartbeat could not be written for " + lease.toSeconds() + " s (" + lastFailure + ")");
        }
    }

    /** Stops the heartbeats; waits for one in progress, for at most one lease period. */
    @Override
    public void close() {
        threads.shutdown();
        try {
            if (!threads.awaitTermination(lease.toMillis(), TimeUnit.MILLISECONDS)) {
                LOG.warn("A heartbeat to {} is still being written after {} s", directory, lease.toSeconds());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
