package io.github.rarspark.common;

import io.github.rarspark.conf.RecipeException;
import io.github.rarspark.kernel.error.CommunicationException;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.error.GpuContextException;
import io.github.rarspark.kernel.error.NativeException;
import io.github.rarspark.kernel.error.NativeLoadException;
import io.github.rarspark.kernel.error.NativeMemoryException;
import io.github.rarspark.kernel.error.NumericException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.hadoop.fs.UnsupportedFileSystemException;
import org.apache.hadoop.security.AccessControlException;
import org.apache.spark.SparkException;

/** Maps failures to exit codes and the line to print. */
public final class Failures {
    /** What Spark says when a barrier stage has too few slots, or dynamic allocation. */
    private static final Pattern NO_BARRIER = Pattern.compile("\\[SPARK-(24819|24942)]");

    private static final Pattern NO_MASTER = Pattern.compile("Could not parse Master URL");
    private static final Pattern STOPPED = Pattern.compile("cancelled because SparkContext was shut down");
    /** By a user who ends the application in the master's page, or because its executors cannot be started. */
    private static final Pattern REMOVED = Pattern.compile("Master removed our application: (\\w+)");

    /** What Java and Hadoop say of a file that may not be read, the former in a {@link FileNotFoundException}. */
    private static final Pattern DENIED = Pattern.compile("(.*?)(?: \\(Permission denied\\)|: Permission denied)");

    /** The code in an error of S3. */
    private static final Pattern REFUSED = Pattern.compile("Error Code: ([^;]+)");

    private static final Pattern LOST_EXECUTOR =
            Pattern.compile("ExecutorLostFailure|Executor .* lost|executor .* exited", Pattern.CASE_INSENSITIVE);

    private Failures() {}

    /** The code for {@code failure}: that of the outermost of its causes which has one, {@link ExitCode#INTERNAL} if none. */
    public static ExitCode exitCode(Throwable failure) {
        return known(deciding(failure)).orElse(ExitCode.INTERNAL);
    }

    /** Whether {@code failure} says that its process can compute on the GPU no more. */
    public static boolean isBrokenGpu(Throwable failure) {
        return GpuContextException.of(deciding(failure)).isPresent();
    }

    /** The one line to print for {@code failure}: the first line of the cause that decides its code. */
    public static String message(Throwable failure) {
        Throwable deciding = deciding(failure);
        Optional<GpuContextException> broken = GpuContextException.of(deciding);
        if (broken.isPresent()) {
            return broken.get().getMessage();
        }
        String type = deciding.getClass().getSimpleName();
        String text = deciding.getMessage();
        if (text == null || text.isBlank()) {
            return type;
        }
        String line = text.strip().lines().findFirst().orElseThrow();
        if (deciding.getClass().getName().startsWith("io.github.rarspark.") || line.startsWith("Cannot ")) {
            return line;
        }
        if (deciding instanceof AccessDeniedException refused
                && refusal(refused).isPresent()) {
            return "Cannot access " + refused.getFile() + ": "
                    + refusal(refused).get();
        }
        Matcher denied = DENIED.matcher(line);
        if (deciding instanceof IOException && denied.matches()) {
            return "Cannot open " + denied.group(1) + ": permission denied; change its permissions";
        }
        boolean missing = deciding instanceof FileNotFoundException || deciding instanceof NoSuchFileException;
        return (missing ? "Missing file: " : type + ": ") + line;
    }

    /** What an object store says when it refuses a request, and what to do; empty for other file systems. */
    public static Optional<String> refusal(AccessDeniedException failure) {
        Matcher code = REFUSED.matcher(String.valueOf(failure.getReason()));
        boolean none = failure.getCause() != null
                && failure.getCause().getClass().getSimpleName().equals("NoAuthWithAWSException");
        if (!none && !code.find()) {
            return Optional.empty();
        }
        return Optional.of("permission denied (" + (none ? "no credentials" : code.group(1))
                + "); check the credentials and what they are allowed");
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
            return Optional.of(ExitCode.USAGE);
        }
        if (t instanceof DataException || t instanceof NumericException) {
            return Optional.of(ExitCode.DATA);
        }
        if (t instanceof CommunicationException || GpuContextException.of(t).isPresent()) {
            return Optional.of(ExitCode.TEMPORARY);
        }
        if (t instanceof NativeLoadException || t instanceof NativeMemoryException) {
            return Optional.of(ExitCode.UNAVAILABLE);
        }
        if (t instanceof NativeException) {
            return Optional.of(ExitCode.INTERNAL);
        }
        if (t instanceof InterruptedException || t instanceof ClosedByInterruptException) {
            return Optional.of(ExitCode.INTERRUPTED);
        }
        if (t instanceof FileNotFoundException
                && DENIED.matcher(String.valueOf(t.getMessage())).matches()) {
            return Optional.of(ExitCode.UNAVAILABLE);
        }
        if (t instanceof FileNotFoundException || t instanceof NoSuchFileException) {
            return Optional.of(ExitCode.NO_INPUT);
        }
        if (t instanceof UnsupportedFileSystemException) {
            return Optional.of(ExitCode.USAGE);
        }
        if (t instanceof AccessControlException || t instanceof AccessDeniedException) {
            return Optional.of(ExitCode.UNAVAILABLE);
        }
        if (t instanceof IOException) {
            return Optional.of(ExitCode.TEMPORARY);
        }
        if (t instanceof SparkException) {
            return ofSpark(String.valueOf(t.getMessage()), t.getCause() == null);
        }
        return Optional.empty();
    }

    private static Optional<ExitCode> ofSpark(String message, boolean isRoot) {
        if (NO_BARRIER.matcher(message).find()) {
            return Optional.of(ExitCode.UNAVAILABLE);
        }
        if (NO_MASTER.matcher(message).find()) {
            return Optional.of(ExitCode.USAGE);
        }
        if (STOPPED.matcher(message).find()) {
            return Optional.of(ExitCode.INTERRUPTED);
        }
        Matcher removed = REMOVED.matcher(message);
        if (removed.find()) {
            return Optional.of(removed.group(1).equals("KILLED") ? ExitCode.INTERRUPTED : ExitCode.TEMPORARY);
        }
        return isRoot && LOST_EXECUTOR.matcher(message).find() ? Optional.of(ExitCode.TEMPORARY) : Optional.empty();
    }
}
