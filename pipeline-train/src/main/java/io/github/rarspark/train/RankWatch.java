package io.github.rarspark.train;

import io.github.rarspark.kernel.dist.ProcessGroup;
import io.github.rarspark.train.coordinator.CoordinatorClient;
import io.github.rarspark.train.coordinator.Report;
import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends the driver a rank's heartbeats, and cuts the rank off when its task is killed or the driver has ended the stage:
 * it aborts the process group, because nothing else ends a native wait for a rank that has stopped.
 */
final class RankWatch implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RankWatch.class);
    private static final long PERIOD_MILLIS = 500;
    private static final long CLOSE_MILLIS = 10_000;

    private final CoordinatorClient driver;
    private final int rank;
    private final String executor;
    private final String host;
    private final BooleanSupplier killed;
    private final AtomicLong step = new AtomicLong();
    private final CountDownLatch closed = new CountDownLatch(1);
    private final Thread thread;
    private volatile boolean stopRequested;
    private ProcessGroup group;
    private boolean cutOff;

    /**
     * Begins to send heartbeats.
     *
     * @param driver a connection of its own, which it closes
     * @param executor Spark's id of the rank's executor
     * @param host of the executor
     * @param killed whether the rank's task was killed
     */
    RankWatch(CoordinatorClient driver, int rank, String executor, String host, BooleanSupplier killed) {
        this.driver = driver;
        this.rank = rank;
        this.executor = executor;
        this.host = host;
        this.killed = killed;
        this.thread = new Thread(this::watch, "rank-watch-" + rank);
        thread.setDaemon(true);
        thread.start();
    }

    /** The group to abort. */
    synchronized void guard(ProcessGroup joined) {
        group = joined;
        if (cutOff) {
            group.abort();
        }
    }

    /** Notes the number of updates made so far. */
    void made(long updates) {
        step.set(updates);
    }

    /** Whether the driver has asked the rank to stop. */
    boolean isStopRequested() {
        return stopRequested;
    }

    private void watch() {
        try {
            do {
                if (killed.getAsBoolean()) {
                    cutOff("its task was killed");
                    return;
                }
                beat(false);
            } while (!closed.await(PERIOD_MILLIS, TimeUnit.MILLISECONDS));
            beat(true);
        } catch (IOException | RuntimeException e) {
            if (closed.getCount() > 0) { // else the rank has ended, and perhaps the stage
                cutOff("the driver does not answer (" + e.getMessage() + ")");
            }
        } catch (InterruptedException e) {
            cutOff("its watch was interrupted");
        }
    }

    private void beat(boolean last) throws IOException {
        if (driver.send(new Report.Heartbeat(rank, executor, host, step.get(), last))) {
            stopRequested = true;
        }
    }

    private synchronized void cutOff(String reason) {
        LOG.warn("Cutting off rank {}: {}", rank, reason);
        cutOff = true;
        if (group != null) {
            group.abort();
        }
    }

    /** Sends a last heartbeat. */
    @Override
    public void close() throws IOException {
        closed.countDown();
        boolean interrupted = Thread.interrupted();
        try {
            thread.join(CLOSE_MILLIS);
        } catch (InterruptedException e) {
            interrupted = true;
        }
        driver.close();
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
