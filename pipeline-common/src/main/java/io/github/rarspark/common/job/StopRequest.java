package io.github.rarspark.common.job;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * Asks a job to save its work and end, such as when its process is interrupted. A job that can do so accepts requests
 * while it can; others end as Spark stops under them.
 */
public final class StopRequest {
    private boolean requested;
    private Duration limit = Duration.ZERO;

    /** The time in which a job accepts requests; ends when it is closed. */
    @FunctionalInterface
    public interface Acceptance extends AutoCloseable {
        @Override
        void close();
    }

    /**
     * Accepts requests: whoever makes one waits until the job ends.
     *
     * @param within how long at most
     */
    public synchronized Acceptance accept(Duration within) {
        limit = within;
        return this::end;
    }

    private synchronized void end() {
        limit = Duration.ZERO;
        notifyAll();
    }

    /** How long a request would wait for the job at most; zero if no job accepts it. */
    public synchronized Duration limit() {
        return limit;
    }

    /** Whether the job should save its work and end. */
    public synchronized boolean isRequested() {
        return requested;
    }

    /** Makes a request, and waits for a job that accepts it. */
    public synchronized void make() throws InterruptedException {
        requested = true;
        long begin = System.nanoTime();
        long left = limit.toNanos();
        while (left > 0) {
            TimeUnit.NANOSECONDS.timedWait(this, left);
            left = limit.toNanos() - (System.nanoTime() - begin);
        }
    }
}
