package io.github.rarspark.cli;

import java.io.PrintStream;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.util.ShutdownHookManager;

/** Whether the user or the scheduler has told this process to end. Says so once, whatever fails because of it. */
final class Interruption {
    /** Before Spark's hooks, which stop what the command waits for. */
    private static final int BEFORE_SPARK = 100;
    /** After Spark's hooks, while the command can still write. */
    private static final int BEFORE_FILE_SYSTEMS_CLOSE = FileSystem.SHUTDOWN_HOOK_PRIORITY + 1;

    private static final int LAST = 0;
    private static final long COMMAND_SECONDS = 3;
    private static final long HOOK_SECONDS = 10;

    private final CountDownLatch commandEnded = new CountDownLatch(1);
    private volatile boolean happened;

    private Interruption() {}

    /** Never happens by itself. */
    static Interruption none() {
        return new Interruption();
    }

    /**
     * Happens when the JVM is told to shut down before {@link #commandEnded}; then prints a line, and runs {@code halt}
     * when Spark has stopped. Without it, the process would end with the number of the signal.
     */
    static Interruption announcedOn(PrintStream err, Runnable halt) {
        Interruption interruption = new Interruption();
        hook(BEFORE_SPARK, () -> interruption.shutDown(err));
        hook(BEFORE_FILE_SYSTEMS_CLOSE, interruption::awaitCommand);
        hook(LAST, () -> {
            if (interruption.happened()) {
                halt.run();
            }
        });
        return interruption;
    }

    private static void hook(int priority, Runnable hook) {
        ShutdownHookManager.get().addShutdownHook(hook, priority, HOOK_SECONDS, TimeUnit.SECONDS);
    }

    void shutDown(PrintStream err) {
        if (commandEnded.getCount() > 0) {
            happened = true;
            err.println("rar-spark: interrupted; run the same command to resume");
        }
    }

    /** Gives a command that ends because Spark has stopped the time to let its output go. */
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
