package io.github.rarspark.common.job;

import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.run.Plan;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The outcome of a completed job, which the frame turns into a {@link JobResult}.
 *
 * @param counts what was done, by name
 * @param metrics what was measured, by name
 * @param amounts amounts that become rate metrics when divided by the job's seconds, by the metric's name
 * @param warnings what the user should know, one line each
 */
public record Outcome(
        Map<String, Long> counts, Map<String, Double> metrics, Map<String, Double> amounts, List<String> warnings) {
    private static final double SHORTEST_SECONDS = 1e-3;

    /** Copies the collections. */
    public Outcome {
        counts = Map.copyOf(counts);
        metrics = Map.copyOf(metrics);
        amounts = Map.copyOf(amounts);
        warnings = List.copyOf(warnings);
    }

    /** An outcome without rates. */
    public static Outcome of(Map<String, Long> counts, Map<String, Double> metrics, List<String> warnings) {
        return new Outcome(counts, metrics, Map.of(), warnings);
    }

    /** The same with the metric {@code name}, the {@code amount} done per second of the whole job. */
    public Outcome withRate(String name, double amount) {
        Map<String, Double> more = new TreeMap<>(amounts);
        more.put(name, amount);
        return new Outcome(counts, metrics, more, warnings);
    }

    /** The result of a job that began to follow {@code plan} at {@code started} and ended at {@code ended}. */
    JobResult result(Plan plan, Instant started, Instant ended) {
        double seconds = Duration.between(started, ended).toMillis() / 1e3;
        // JSON has no infinity.
        double divisor = Math.max(seconds, SHORTEST_SECONDS);
        Map<String, Double> all = new TreeMap<>(metrics);
        amounts.forEach((name, amount) -> all.put(name, amount / divisor));
        return JobResult.done(plan, started, seconds, counts, all, warnings);
    }
}
