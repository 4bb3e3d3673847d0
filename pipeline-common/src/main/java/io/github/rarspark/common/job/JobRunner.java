package io.github.rarspark.common.job;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.run.Growth;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.run.Plan;
import io.github.rarspark.common.run.PreFlight;
import io.github.rarspark.common.run.RunOutput;
import io.github.rarspark.common.spark.JobDevice;
import io.github.rarspark.common.spark.StageResources;
import java.io.IOException;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;

/** The frame around every job: claims the output, stamps time and version, and writes {@code result.json}. */
public final class JobRunner {
    private JobRunner() {}

    /** Creates a job from a context; checks the recipe and opens the inputs, but writes nothing. */
    @FunctionalInterface
    public interface Factory {
        /** The job that the recipe of {@code context} asks for. */
        Job<?> open(JobContext context) throws IOException;
    }

    /** Work without an output of its own. */
    @FunctionalInterface
    public interface Check {
        /** Does the work. */
        Outcome run() throws IOException;
    }

    /**
     * Runs a job, or does nothing if the output is already finished. The result is written to the output, also after a
     * failure.
     *
     * @return the result of this run, or of the one that finished the work earlier
     * @throws JobException {@link ExitCode#OUTPUT_EXISTS} if the output belongs to another plan or holds foreign files,
     *     {@link ExitCode#TEMPORARY} if another driver works on it, {@link ExitCode#UNAVAILABLE} if there is too little
     *     space; what the job throws passes through
     */
    public static JobResult run(JobContext context, Factory factory) throws IOException {
        Instant started = Instant.now();
        return run(context, factory.open(context), started);
    }

    private static <D> JobResult run(JobContext context, Job<D> job, Instant started) throws IOException {
        String directory = context.storage().qualify(job.output());
        JobDevice device =
                job.computesOnDriver() ? JobDevice.ofDriver(context.recipe().compute()) : context.device();
        boolean finished = RunOutput.isFinished(context.storage(), directory);
        if (finished && job.growth() == Growth.NOTHING_NEW) {
            return RunOutput.readResult(context.storage(), directory).orElseThrow();
        }
        if (!finished || job.growth() == Growth.ADDS) {
            if (!job.computesOnDriver()) {
                StageResources.requireOffered(context.session(), device);
            }
            job.preFlight();
        }
        Optional<OutputClaim> claimed = new RunOutput(
                        context.storage(), directory, context.recipe().claim(), context::say)
                .claim(job.plan().on(device.label()), job.growth());
        if (claimed.isEmpty()) {
            return RunOutput.readResult(context.storage(), directory).orElseThrow();
        }
        try (OutputClaim claim = claimed.get()) {
            claim.whenLost(() -> context.session().sparkContext().cancelAllJobs());
            claim.interruptIf(() -> context.session().sparkContext().isStopped());
            try {
                // An earlier attempt may have written the larger part.
                PreFlight.requireSpace(context.storage(), directory, claim.resumes() ? 0 : job.leastBytes());
                D done = job.runMissing(claim);
                Outcome outcome = job.commit(claim, done);
                JobResult result = outcome.result(claim.plan(), started, Instant.now());
                claim.finish(result);
                return result;
            } catch (Exception | Error e) { // Spark throws checked exceptions that it does not declare
                Optional<JobException> lost = claim.lost(e);
                if (lost.isPresent()) {
                    throw lost.get();
                }
                claim.fail(started, e);
                throw e;
            }
        }
    }

    /**
     * Runs a check, which claims no output and leaves no result there.
     *
     * @param command the name in the result
     * @param settings the recipe's {@linkplain io.github.rarspark.conf.Recipe#resultSettings settings} that the check
     *     reads
     */
    public static JobResult check(String command, SortedMap<String, String> settings, Check check) throws IOException {
        Instant started = Instant.now();
        Outcome outcome = check.run();
        return outcome.result(Plan.of(command, settings, Map.of(), Map.of()), started, Instant.now());
    }
}
