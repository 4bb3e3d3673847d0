package io.github.rarspark.common;

import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;

/** Ways to close things. */
public final class Closeables {
    private Closeables() {}

    /** Closes all, even if some fail; then throws the first failure, which has the others as suppressed exceptions. */
    public static void closeAll(Iterable<? extends Closeable> all) throws IOException {
        Exception failure = null;
        for (Closeable each : all) {
            try {
                each.close();
            } catch (IOException | RuntimeException e) {
                if (failure == null) {
                    failure = e;
                } else {
                    failure.addSuppressed(e);
                }
            }
        }
        if (failure instanceof IOException io) {
            throw io;
        }
        if (failure instanceof RuntimeException runtime) {
            throw runtime;
        }
    }

    /**
     * Interrupts the threads of a pool and waits for their end, even if this thread is interrupted, which it is afterwards
     * too.
     *
     * @param limit longer than what a thread may take that cannot be interrupted
     * @param work what the threads do, such as {@code Decoding an image}, for messages
     * @throws IllegalStateException if they have not ended within the limit
     */
    public static void end(ExecutorService threads, Duration limit, String work) {
        threads.shutdownNow();
        boolean interrupted = Thread.interrupted();
        long end = System.nanoTime() + limit.toNanos();
        try {
            while (!ended(threads, end - System.nanoTime())) {
                interrupted = true;
            }
            if (!threads.isTerminated()) {
                throw new IllegalStateException(work + " has not ended within " + limit.toSeconds() + " s");
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Whether the wait is over: false if it was interrupted. */
    private static boolean ended(ExecutorService threads, long nanos) {
        try {
            threads.awaitTermination(nanos, TimeUnit.NANOSECONDS);
            return true;
        } catch (InterruptedException e) {
            return false;
        }
    }
}
