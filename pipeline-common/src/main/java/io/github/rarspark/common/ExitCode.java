package io.github.rarspark.common;

import io.github.rarspark.conf.RecipeException;
import io.github.rarspark.kernel.error.CommunicationException;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.error.NativeException;
import io.github.rarspark.kernel.error.NativeLoadException;
import io.github.rarspark.kernel.error.NativeMemoryException;
import io.github.rarspark.kernel.error.NumericException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.NoSuchFileException;
import java.util.Optional;
import java.util.regex.Pattern;
import org.apache.hadoop.fs.UnsupportedFileSystemException;
import org.apache.hadoop.security.AccessControlException;
import org.apache.spark.SparkException;

/** What the process ends with, after sysexits.h. */
public enum ExitCode {
    /** Done, or nothing left to do. */
    OK(0),
    /** A wrong option, recipe key or combination of them. */
    USAGE(64),
    /** Bad data or weights. */
    DATA(65),
    /** An input that is not there. */
    NO_INPUT(66),
    /** The cluster or the machine cannot provide what is asked. */
    UNAVAILABLE(69),
    /** Our fault. */
    INTERNAL(70),
    /** The output exists and belongs to another run. */
    OUTPUT_EXISTS(73),
    /** Temporary: run again. */
    TEMPORARY(75),
    /** Interrupted by the user or the scheduler. */
    INTERRUPTED(130);

    /** What Spark says when a barrier stage has too few slots, or dynamic allocation. */
    private static final Pattern NO_BARRIER = Pattern.compile("\\[SPARK-(24819|24942)]");

    private static final Pattern STOPPED = Pattern.compile("cancelled because SparkContext was shut down");
    private static final Pattern LOST_EXECUTOR =
            Pattern.compile("ExecutorLostFailure|Executor .* lost|executor .* exited", Pattern.CASE_INSENSITIVE);

    private final int number;

    ExitCode(int number) {
        this.number = number;
    }

    /** The number the process ends with. */
    public int number() {
        return number;
    }

    /** Whether the same command may succeed when it is run again without a change. */
    public boolean retryable() {
        return this == TEMPORARY || this == INTERRUPTED;
    }

    /** The code for {@code failure}: that of the outermost of its causes which has one, {@link #INTERNAL} if none. */
    public static ExitCode of(Throwable failure) {
        return known(deciding(failure)).orElse(INTERNAL);
    }

    /** The one line to print for {@code failure}: the first line of the cause that decides its code. */
    public static String message(Throwable failure) {
        Throwable deciding = deciding(failure);
        String type = deciding.getClass().getSimpleName();
        String text = deciding.getMessage();
        if (text == null || text.isBlank()) {
            return type;
        }
        String line = text.strip().lines().findFirst().orElseThrow();
        return deciding.getClass().getName().startsWith("io.github.rarspark.") ? line : type + ": " + line;
    }

    /** Outermost cause with a code of its own; a Spark or I/O wrapper only counts if nothing below it does. */
    private static Throwable deciding(Throwable failure) {
        Throwable wrapper = null;
        int depth = 0;
        for (Throwable t = failure; t != null && depth < 100; t = t.getCause(), depth++) {
            if (known(t).isPresent()) {
                if (!isWrapper(t)) {
                    return t;
                }
                wrapper = wrapper == null ? t : wrapper;
            }
        }
        return wrapper == null ? failure : wrapper;
    }

    private static boolean isWrapper(Throwable t) {
        return t instanceof SparkException || t.getClass() == IOException.class;
    }

    private static Optional<ExitCode> known(Throwable t) {
        if (t instanceof JobException job) {
            return Optional.of(job.exitCode());
        }
        if (t instanceof RecipeException) {
            return Optional.of(USAGE);
        }
        if (t instanceof DataException || t instanceof NumericException) {
            return Optional.of(DATA);
        }
        if (t instanceof CommunicationException) {
            return Optional.of(TEMPORARY);
        }
        if (t instanceof NativeLoadException || t instanceof NativeMemoryException) {
            return Optional.of(UNAVAILABLE);
        }
        if (t instanceof NativeException) {
            return Optional.of(INTERNAL);
        }
        if (t instanceof InterruptedException || t instanceof ClosedByInterruptException) {
            return Optional.of(INTERRUPTED);
        }
        if (t instanceof FileNotFoundException || t instanceof NoSuchFileException) {
            return Optional.of(NO_INPUT);
        }
        if (t instanceof UnsupportedFileSystemException) {
            return Optional.of(USAGE);
        }
        if (t instanceof AccessControlException || t instanceof java.nio.file.AccessDeniedException) {
            return Optional.of(UNAVAILABLE);
        }
        if (t instanceof IOException) {
            return Optional.of(TEMPORARY);
        }
        if (t instanceof SparkException) {
            return ofSpark(String.valueOf(t.getMessage()), t.getCause() == null);
        }
        return Optional.empty();
    }

    private static Optional<ExitCode> ofSpark(String message, boolean isRoot) {
        if (NO_BARRIER.matcher(message).find()) {
            return Optional.of(UNAVAILABLE);
        }
        if (STOPPED.matcher(message).find()) {
            return Optional.of(INTERRUPTED);
        }
        return isRoot && LOST_EXECUTOR.matcher(message).find() ? Optional.of(TEMPORARY) : Optional.empty();
    }
}
