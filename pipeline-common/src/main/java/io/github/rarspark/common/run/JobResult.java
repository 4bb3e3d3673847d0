package io.github.rarspark.common.run;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.Failures;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * {@code result.json}, the last object of an output; or how a command ended that claimed none.
 *
 * @param status how the job ended
 * @param command the command's name
 * @param recipeSha256 the hash of the resolved recipe; null if the command ended without a plan
 * @param device what it computed on, {@code cpu} or {@code gpu}; {@code none} if the command ended without a plan
 * @param started when the job began
 * @param seconds how long it took
 * @param counts amounts of work, by name
 * @param metrics measurements, by name
 * @param warnings warnings for the user, one line each
 * @param retryable whether running the same command again may succeed
 * @param exitCode the command's exit code
 * @param version the version of rar-spark
 */
public record JobResult(
        Status status,
        String command,
        @JsonInclude(JsonInclude.Include.NON_NULL) String recipeSha256,
        String device,
        Instant started,
        double seconds,
        SortedMap<String, Long> counts,
        SortedMap<String, Double> metrics,
        List<String> warnings,
        boolean retryable,
        int exitCode,
        String version) {

    /** The object's name in the output. */
    public static final String NAME = "result.json";

    private static final String NO_DEVICE = "none";

    /** How a job ended. */
    public enum Status {
        /** All is done. */
        @JsonProperty("done")
        DONE,
        /** It failed; what is there is not complete. */
        @JsonProperty("failed")
        FAILED,
        /** It was interrupted; what is there is not complete. */
        @JsonProperty("interrupted")
        INTERRUPTED
    }

    /** Copies the collections. */
    public JobResult {
        counts = new TreeMap<>(counts);
        metrics = new TreeMap<>(metrics);
        warnings = List.copyOf(warnings);
        device = device == null ? Plan.CPU : device; // of earlier versions
    }

    /** When the job ended, to the second. */
    public Instant ended() {
        return started.plusMillis(Math.round(seconds * 1e3)).truncatedTo(ChronoUnit.SECONDS);
    }

    /** The result of a completed job. */
    public static JobResult done(
            Plan plan,
            Instant started,
            double seconds,
            Map<String, Long> counts,
            Map<String, Double> metrics,
            List<String> warnings) {
        return new JobResult(
                Status.DONE,
                plan.command(),
                plan.recipeSha256(),
                plan.deviceLabel(),
                started,
                seconds,
                new TreeMap<>(counts),
                new TreeMap<>(metrics),
                warnings,
                false,
                ExitCode.OK.number(),
                Version.CURRENT);
    }

    /** The result of a job that ended with {@code failure}, whose message is the warning. */
    public static JobResult failed(Plan plan, Instant started, double seconds, Throwable failure) {
        ExitCode code = Failures.exitCode(failure);
        return new JobResult(
                status(code),
                plan.command(),
                plan.recipeSha256(),
                plan.deviceLabel(),
                started,
                seconds,
                new TreeMap<>(),
                new TreeMap<>(),
                List.of(Failures.message(failure)),
                code.retryable(),
                code.number(),
                Version.CURRENT);
    }

    /** How a command ended that has no plan, or had none yet; {@code message} is the warning if it is not empty. */
    public static JobResult withoutPlan(
            String command, Instant started, double seconds, ExitCode code, String message) {
        return new JobResult(
                status(code),
                command,
                null,
                NO_DEVICE,
                started,
                seconds,
                new TreeMap<>(),
                new TreeMap<>(),
                message.isEmpty() ? List.of() : List.of(message),
                code.retryable(),
                code.number(),
                Version.CURRENT);
    }

    private static Status status(ExitCode code) {
        return switch (code) {
            case OK -> Status.DONE;
            case INTERRUPTED -> Status.INTERRUPTED;
            default -> Status.FAILED;
        };
    }
}
