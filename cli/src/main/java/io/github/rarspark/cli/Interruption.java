package io.github.rarspark.cli;

import io.github.rarspark.common.job.StopRequest;
import java.io.PrintStream;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.util.ShutdownHookManager;

/**
 * Detects that this process was interrupted by the user or the scheduler. Reports it once, whatever fails as a
 * consequence.
 */
final class Interruption {
    /** Before Spark's hooks, which stop the jobs that the command waits for. */
    private static final int BEFORE_SPARK = 100;
    /** After Spark's hooks, while the command can still write. */
    private static final int BEFORE_FILE_SYSTEMS_CLOSE = FileSystem.SHUTDOWN_HOOK_PRIORITY + 1;

    private static final int LAST = 0;
    private static final long COMMAND_SECONDS = 3;
    private static final long HOOK_SECONDS = 10;
    /** Longer than any job takes to stop, whose own limit counts. */
    private static final long STOP_SECONDS = 24 * 3600;

    private final CountDownLatch commandEnded = new CountDownLatch(1);
    private volatile boolean happened;

    private Interruption() {}

    /** An interruption that never happens. */
    static Interruption none() {
        return new Interruption();
    }

    /**
     * Triggers when the JVM shuts down before {@link #commandEnded}: prints a line, asks the job to stop, and runs {@code
     * halt} after Spark has stopped. Without it, the process would exit with the signal's number.
     */
    static Interruption announcedOn(PrintStream err, StopRequest stop, Runnable halt) {
        Interruption interruption = new Interruption();
        hook(BEFORE_SPARK, STOP_SECONDS, () -> interruption.shutDown(err, stop));
        hook(BEFORE_FILE_SYSTEMS_CLOSE, HOOK_SECONDS, interruption::awaitCommand);
        hook(LAST, HOOK_SECONDS, () -> {
            if (interruption.happened()) {
                halt.run();
            }
        });
        return interruption;
    }

    private static void hook(int priority, long seconds, Runnable hook) {
        ShutdownHookManager.get().addShutdownHook(hook, priority, seconds, TimeUnit.SECONDS);
    }

    void shutDown(PrintStream err, StopRequest stop) {
        if (commandEnded.getCount() > 0) {
            happened = true;
            long seconds = stop.limit().toSeconds();
            err.println("rar-spark: interrupted; "
                    + (seconds > 0 ? "saving the work within " + seconds + " s; " : "")
                    + "run the same command to resume");
            try {
                stop.make();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Gives a command that fails because Spark has stopped time to release its claim. */
    private void awaitCommand() {
        try {
            commandEnded.await(COMMAND_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    void commandEnded() {
        commandEnded.countDown();
    }

    boolean happened() {
        return happened;
    }
}
