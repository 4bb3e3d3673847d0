package io.github.rarspark.common;

import java.util.Objects;

/** Ends a job with an exit code. The message is the one line that the user reads: what, which value, what to do. */
public final class JobException extends RuntimeException {
    private final ExitCode exitCode;

    /** Ends the job with {@code exitCode} and this line. */
    public JobException(ExitCode exitCode, String message) {
        this(exitCode, message, null);
    }

    /** Ends the job with {@code exitCode} and this line, because of {@code cause}. */
    public JobException(ExitCode exitCode, String message, Throwable cause) {
        super(message, cause);
        this.exitCode = Objects.requireNonNull(exitCode);
    }

    /** The exit code of the process. */
    public ExitCode exitCode() {
        return exitCode;
    }
}
