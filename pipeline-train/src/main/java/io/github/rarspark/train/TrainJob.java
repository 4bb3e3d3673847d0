package io.github.rarspark.train;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.job.Job;
import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.job.JobRunner;
import io.github.rarspark.common.job.Outcome;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.run.Plan;
import io.github.rarspark.common.spark.Progress;
import io.github.rarspark.common.spark.SparkSessions;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.TrainSettings;
import io.github.rarspark.train.coordinator.Coordinator;
import io.github.rarspark.train.coordinator.Report;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.SparkConf;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The job {@code train}: plans, starts the ranks together, makes their checkpoints count, publishes the final weights.
 * Running it again over an unfinished output resumes from the last checkpoint that counts. Driver only.
 */
public final class TrainJob implements Job<TrainJob.Trained> {
    private static final Logger LOG = LoggerFactory.getLogger(TrainJob.class);

    private final JobContext context;
    private final Recipe recipe;
    private final TrainSettings settings;
    private final TrainInputs inputs;

    private TrainJob(JobContext context, TrainInputs inputs) {
        this.context = context;
        this.recipe = context.recipe();
        this.settings = recipe.train();
        this.inputs = inputs;
    }

    /**
     * Trains, or only measures the loss with {@code train.evaluate}; does nothing if the output is finished.
     *
     * @throws JobException {@link ExitCode#NO_INPUT} if the tokens are missing, {@link ExitCode#DATA} if they do not fit
     *     the model, {@link ExitCode#OUTPUT_EXISTS} or {@link ExitCode#TEMPORARY} if the output is another's, {@link
     *     ExitCode#UNAVAILABLE} if there are fewer task slots than ranks, or too little memory
     */
    public static JobResult run(JobContext context) throws IOException {
        return JobRunner.run(context, context.recipe().train().evaluate() ? EvaluateJob::open : TrainJob::open);
    }

    private static TrainJob open(JobContext context) throws IOException {
        context.recipe().requireGiven("train", "train.tokens", "train.output");
        TrainJob job = new TrainJob(context, TrainInputs.open(context.storage(), context.recipe()));
        if (context.session().sparkContext().isLocal()) {
            job.requireSlots();
            TrainingCost.of(context.recipe()).requireFits();
        }
        return job;
    }

    @Override
    public String output() {
        return settings.output();
    }

    @Override
    public Plan plan() {
        return Plan.of("train", recipe.resultSettings("model", "train"), inputs.sha256(), Map.of());
    }

    /** One checkpoint and the final weights. */
    @Override
    public long leastBytes() {
        return TrainingCost.of(recipe).outputBytes();
    }

    private void requireSlots() {
        int slots = SparkSessions.slots(context.session());
        if (slots < settings.ranks()) {
            throw new JobException(
                    ExitCode.UNAVAILABLE,
                    "Cannot start " + settings.ranks() + " ranks (train.ranks) on " + slots
                            + " local task slots; use --master local[" + settings.ranks() + "] or fewer ranks");
        }
    }

    /**
     * A training that has made all updates.
     *
     * @param metrics of all attempts
     * @param last the checkpoint after the last update
     * @param warnings for the user
     */
    record Trained(MetricsLog metrics, Checkpoints.Reference last, List<String> warnings) {}

    @Override
    public Trained runMissing(OutputClaim claim) throws IOException {
        context.storage().putString(claim.path("recipe.yaml"), recipe.toYaml());
        Checkpoints.Found found = Checkpoints.find(context.session(), claim);
        Optional<Checkpoints.Reference> resume = found.newest();
        List<String> warnings = new ArrayList<>(TrainingCost.of(recipe).warnings());
        warnings.addAll(inputs.tokens().warnings());
        warnings.addAll(found.warnings());
        warnings.forEach(LOG::warn);
        MetricsLog metrics = MetricsLog.resumeAt(
                claim, resume.map(Checkpoints.Reference::step).orElse(0L));
        try (Progress progress = context.progress("train", "steps", settings.steps())) {
            RankReports reports = new RankReports(claim, metrics, progress, resume);
            runRanks(claim, resume, reports);
            return new Trained(
                    metrics,
                    reports.last().orElseThrow(() -> new IllegalStateException("Training ended without a checkpoint")),
                    warnings);
        }
    }

    /** Starts the ranks and waits for their end. */
    private void runRanks(OutputClaim claim, Optional<Checkpoints.Reference> resume, RankReports reports)
            throws IOException {
        int ranks = settings.ranks();
        SparkSessions.describe(context.session(), "train " + settings.steps() + " steps on " + ranks + " ranks");
        SparkConf conf = context.session().sparkContext().getConf();
        String host = conf.get("spark.driver.host");
        try (Coordinator coordinator = new Coordinator(host, conf.get("spark.driver.bindAddress", host), reports)) {
            RankTask task = new RankTask(RankAssignment.of(context, inputs, claim, resume, coordinator.address()));
            try {
                BarrierStage.run(context.session(), ranks, Long.class, task);
            } catch (Exception e) {
                // Spark's own exception is checked, which its Java API does not say.
                throw RankFailures.explain(ranks, e, coordinator.failure(), reports.failures());
            }
        }
    }

    @Override
    public Outcome commit(OutputClaim claim, Trained trained) throws IOException {
        trained.metrics().publish();
        Checkpoints.publishModel(claim, trained.last());
        Map<String, Long> counts = Map.of(
                "steps", (long) settings.steps(),
                "images", (long) settings.steps() * settings.batch(),
                "ranks", (long) settings.ranks());
        Report.Progress end = trained.metrics().last();
        return Outcome.of(counts, end == null ? Map.of() : Map.of("loss", end.loss()), trained.warnings());
    }
}
