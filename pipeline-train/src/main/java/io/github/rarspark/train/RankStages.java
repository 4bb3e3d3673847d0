package io.github.rarspark.train;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.Failures;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.job.StopRequest;
import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.spark.BarrierStage;
import io.github.rarspark.common.spark.EventLog;
import io.github.rarspark.common.spark.Progress;
import io.github.rarspark.common.spark.SparkSessions;
import io.github.rarspark.conf.TrainSettings;
import io.github.rarspark.train.coordinator.Coordinator;
import io.github.rarspark.train.coordinator.Report;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import scala.collection.JavaConverters;

/**
 * Trains in barrier stages: when one fails for a reason that may pass, the next resumes from the newest whole checkpoint.
 * Spark itself never retries such a stage. Driver only.
 */
final class RankStages {
    private static final Logger LOG = LoggerFactory.getLogger(RankStages.class);
    /** How long Spark takes at most to notice that an executor's process has ended. */
    private static final Duration NOTICE_LIMIT = Duration.ofSeconds(3);

    /** How long the process of an executor that has begun to end may take. */
    private static final Duration END_LIMIT = Duration.ofSeconds(30);

    private static final long POLL_MILLIS = 50;

    private final JobContext context;
    private final TrainSettings settings;
    private final TrainInputs inputs;
    private final OutputClaim claim;
    private final MetricsLog metrics;
    private final Progress progress;
    private final Restarts restarts;
    private final List<String> warnings = new ArrayList<>();

    RankStages(JobContext context, TrainInputs inputs, OutputClaim claim, MetricsLog metrics, Progress progress) {
        this.context = context;
        this.settings = context.recipe().train();
        this.inputs = inputs;
        this.claim = claim;
        this.metrics = metrics;
        this.progress = progress;
        this.restarts = new Restarts(settings, System::nanoTime);
    }

    /**
     * Trains up to the last step.
     *
     * @param newest the checkpoint to resume from, if there is one
     * @return the last checkpoint
     * @throws JobException what ended the training
     */
    Checkpoints.Reference run(Optional<Checkpoints.Reference> newest) throws IOException {
        try (StopRequest.Acceptance accepted = context.stop().accept(Duration.ofSeconds(settings.stopSeconds()))) {
            return runAccepting(newest);
        }
    }

    private Checkpoints.Reference runAccepting(Optional<Checkpoints.Reference> newest) throws IOException {
        Optional<Checkpoints.Reference> resume = newest;
        while (true) {
            long first = resume.map(Checkpoints.Reference::step).orElse(0L);
            progress.stepTo(first);
            RankMonitor monitor = new RankMonitor(settings, System::nanoTime);
            RankReports reports = new RankReports(
                    settings,
                    claim,
                    metrics,
                    progress,
                    monitor,
                    SampleGrid.captions(context.recipe(), inputs.tokens()),
                    resume);
            Optional<RankFailures.Cause> failed = runStage(resume, reports, monitor);
            if (failed.isEmpty()) {
                return reports.last()
                        .orElseThrow(() -> new IllegalStateException("Training ended without a checkpoint"));
            }
            resume = recover(failed.get(), monitor, first);
        }
    }

    /**
     * Makes ready for the next stage, if another is allowed. Storage that does not answer meanwhile is a failure like any
     * other that may pass.
     *
     * @return the checkpoint to resume from
     */
    private Optional<Checkpoints.Reference> recover(RankFailures.Cause failed, RankMonitor monitor, long first)
            throws IOException {
        requireClaim();
        Duration pause = restarts.after(failed.failure(), failed.lostRank(), monitor.step() > first);
        monitor.silent().forEach(this::replace);
        JobException failure = failed.failure();
        while (true) {
            EventLog.log(
                    "restart",
                    Map.of("restart", restarts.count(), "step", monitor.step(), "reason", failure.getMessage()));
            context.say("restart " + restarts.count() + " in " + pause.toSeconds() + " s: " + failure.getMessage());
            sleep(pause);
            try {
                return rewind(
                        "restart " + restarts.count() + " after step " + monitor.step() + ": " + failure.getMessage());
            } catch (Exception e) { // Spark throws checked exceptions that it does not declare
                if (e instanceof RuntimeException decided) {
                    throw decided;
                }
                failure = new JobException(Failures.exitCode(e), Failures.message(e), e);
                pause = restarts.after(failure, true, true);
            }
        }
    }

    /** Another driver may have caused the failure, by taking the run over. */
    private void requireClaim() {
        try {
            claim.check();
        } catch (IOException e) {
            LOG.warn("Cannot check the claim; checking again before the restart", e);
        }
    }

    /** Finds the checkpoint to resume from, and forgets what came after it. */
    private Optional<Checkpoints.Reference> rewind(String cause) throws IOException {
        claim.check();
        Checkpoints.Found found = Checkpoints.resume(context.session(), claim);
        found.warnings().forEach(LOG::warn);
        warnings.addAll(found.warnings());
        long step = found.newest().map(Checkpoints.Reference::step).orElse(0L);
        metrics.rewindTo(step, restarts.count());
        metrics.note(step, "restarts/cause", cause);
        return found.newest();
    }

    /** The restarts so far. */
    int restarts() {
        return restarts.count();
    }

    /** For the user. */
    List<String> warnings() {
        return List.copyOf(warnings);
    }

    /**
     * Runs the ranks until they end; returns why they failed, if they did. Each stage has a coordinator, and thereby a
     * secret, of its own: a rank of an earlier one that was only stopped can report nothing any more.
     */
    private Optional<RankFailures.Cause> runStage(
            Optional<Checkpoints.Reference> resume, RankReports reports, RankMonitor monitor) throws IOException {
        int ranks = settings.ranks();
        SparkSessions.describe(context.session(), "train " + settings.steps() + " steps on " + ranks + " ranks");
        SparkConf conf = context.session().sparkContext().getConf();
        String host = conf.get("spark.driver.host");
        try (Coordinator coordinator = new Coordinator(host, conf.get("spark.driver.bindAddress", host), reports)) {
            RankTask task = new RankTask(
                    RankAssignment.of(context, inputs, claim, restarts.count(), resume, coordinator.address()));
            try {
                BarrierStage.run(
                        context.session(),
                        context.device(),
                        ranks,
                        Long.class,
                        task,
                        () -> check(monitor, coordinator, reports));
                return Optional.empty();
            } catch (Exception e) {
                // Spark's own exception is checked, which its Java API does not say.
                if (monitor.verdict().isPresent()) {
                    return monitor.verdict().map(silence -> new RankFailures.Cause(silence, true));
                }
                RankFailures.Cause cause = RankFailures.explain(ranks, e, coordinator.failure(), reports.failures());
                if (context.stop().isRequested() && cause.failure().exitCode().retryable()) {
                    throw stopped(reports, monitor, cause.failure());
                }
                // Slots that there were once may come back.
                if (restarts.count() > 0 && cause.failure().exitCode() == ExitCode.UNAVAILABLE && !monitor.hasBegun()) {
                    return Optional.of(new RankFailures.Cause(
                            new JobException(ExitCode.TEMPORARY, cause.failure().getMessage(), e), true));
                }
                return Optional.of(cause.lostRank() ? named(cause, monitor) : cause);
            }
        }
    }

    /** Whether a rank has failed is not left to Spark alone: it tells nothing of it while the process shuts down. */
    private void check(RankMonitor monitor, Coordinator coordinator, RankReports reports) {
        monitor.check();
        if (context.stop().isRequested()) {
            if (!monitor.hasBegun() || !reports.failures().isEmpty()) {
                throw new JobException(ExitCode.INTERRUPTED, "the ranks were asked to stop");
            }
            coordinator.requestStop();
        }
    }

    private JobException stopped(RankReports reports, RankMonitor monitor, JobException cause) {
        long saved = reports.last().map(Checkpoints.Reference::step).orElse(0L);
        if (monitor.step() > saved) {
            context.say("the steps after " + saved + " could not be saved: " + cause.getMessage());
        }
        return new JobException(
                ExitCode.INTERRUPTED,
                "The training was stopped; run the same command to resume from step " + saved,
                cause);
    }

    /**
     * The loss of a rank with its name, if its executor is gone, instead of how the others noticed. Waits until Spark knows
     * that it is, so that the next stage does not begin there.
     */
    private RankFailures.Cause named(RankFailures.Cause cause, RankMonitor monitor) {
        SparkContext spark = context.session().sparkContext();
        long deadline = System.nanoTime() + (cause.known() ? END_LIMIT : NOTICE_LIMIT).toNanos();
        while (!spark.isLocal() && System.nanoTime() < deadline) {
            List<Report.Heartbeat> lost = monitor.lost(JavaConverters.seqAsJavaList(spark.getExecutorIds()));
            if (!lost.isEmpty() && cause.known()) {
                return cause;
            }
            if (!lost.isEmpty()) {
                Report.Heartbeat rank = lost.get(0);
                return new RankFailures.Cause(
                        new JobException(
                                ExitCode.TEMPORARY,
                                monitor.name(rank) + " was lost after step " + rank.step(),
                                cause.failure()),
                        true);
            }
            sleep(Duration.ofMillis(POLL_MILLIS));
        }
        return cause;
    }

    /** Asks for another executor instead of one that does not answer, whose task would keep its slot. */
    private void replace(Report.Heartbeat silent) {
        SparkContext spark = context.session().sparkContext();
        if (!spark.isLocal()) {
            LOG.warn("Replacing executor {} of rank {}", silent.executor(), silent.rank());
            spark.killAndReplaceExecutor(silent.executor());
        }
    }

    private void sleep(Duration pause) {
        long begin = System.nanoTime();
        try {
            while (System.nanoTime() - begin < pause.toNanos()) {
                if (context.stop().isRequested()) {
                    throw new JobException(
                            ExitCode.INTERRUPTED,
                            "The training was stopped before a restart; run the same command to resume");
                }
                TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new JobException(ExitCode.INTERRUPTED, "The training was interrupted before a restart", e);
        }
    }
}
