package io.github.rarspark.cli;

import io.github.rarspark.cli.options.CommandStorage;
import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.Failures;
import io.github.rarspark.common.run.JobResult;
import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The file in which a driver leaves how its command ended, whatever that was, for a submitter outside the cluster: in
 * cluster mode spark-submit does not tell. The Spark setting {@value #SETTING} names it.
 */
final class DriverResult {
    static final String SETTING = "spark.rarspark.result";

    /** What the file says until the command has ended, and ever after if the driver is lost. */
    private static final String LOST =
            "The driver has not said how it ended: if it does not run any more, it was killed,"
                    + " ran out of memory or was lost; read its log, then run the same command to resume";

    private static final Logger LOG = LoggerFactory.getLogger(DriverResult.class);

    private final String file;
    private final String command;
    private final PrintStream err;
    private final Instant started = Instant.now();

    private DriverResult(String file, String command, PrintStream err) {
        this.file = file;
        this.command = command;
        this.err = err;
    }

    /** The file that the Spark settings of this driver name; empty if they name none, or if the command only reads it. */
    static Optional<DriverResult> ofDriver(String command, PrintStream err) {
        return Optional.ofNullable(System.getProperty(SETTING))
                .filter(file -> !command.equals(ResultCommand.NAME))
                .map(file -> new DriverResult(file, command, err));
    }

    /** Says that the driver has begun. */
    void begin() {
        write(JobResult.withoutPlan(command, started, 0, ExitCode.TEMPORARY, LOST));
    }

    /** Says how the command ended; {@code message} is what the user saw of a failure. */
    void end(Optional<JobResult> result, ExitCode code, String message) {
        write(result.orElseGet(() -> JobResult.withoutPlan(
                command, started, Duration.between(started, Instant.now()).toMillis() / 1e3, code, message)));
    }

    /** The job matters more than who waits for it. */
    private void write(JobResult result) {
        try {
            CommandStorage.open().putJson(file, result);
        } catch (IOException | RuntimeException e) {
            // Not the file's name, in which a password may be.
            LOG.warn("Cannot write what {} names", SETTING, e);
            err.println("rar-spark: the submitter will not learn how this ends, because what " + SETTING
                    + " names cannot be written: " + Failures.message(e));
        }
    }
}
