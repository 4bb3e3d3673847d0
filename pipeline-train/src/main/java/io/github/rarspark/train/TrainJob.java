package io.github.rarspark.train;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.job.Job;
import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.job.JobRunner;
import io.github.rarspark.common.job.Outcome;
import io.github.rarspark.common.memory.MemoryNeeds;
import io.github.rarspark.common.memory.Workload;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.run.Plan;
import io.github.rarspark.common.spark.Progress;
import io.github.rarspark.common.spark.StageResources;
import io.github.rarspark.common.tokens.TokenStores;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.TrainSettings;
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
 * The job {@code train}: plans, starts the ranks together, publishes their checkpoints and the final weights. It
 * restarts from the newest checkpoint when a rank is lost, and resumes from it when it is run again over an unfinished
 * output. Driver only.
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
        return new TrainJob(context, TrainInputs.open(context.storage(), context.recipe(), context::say));
    }

    @Override
    public String output() {
        return settings.output();
    }

    @Override
    public void preFlight() throws IOException {
        sparkPreFlight().require(StageResources.slots(context.session(), context.device()));
        if (context.session().sparkContext().isLocal()) {
            TokenStores.requireRoom(conf(), inputs.tokens());
        }
    }

    private TrainPreFlight sparkPreFlight() {
        return new TrainPreFlight(conf(), settings, cost(), context.device());
    }

    private TrainingCost cost() {
        return TrainingCost.of(recipe).on(context.device());
    }

    private SparkConf conf() {
        return context.session().sparkContext().getConf();
    }

    @Override
    public Plan plan() {
        return Plan.of("train", recipe.resultSettings("model", "train", "compute"), inputs.sha256(), Map.of());
    }

    @Override
    public long leastBytes() {
        return MemoryNeeds.outputBytes(recipe, Workload.TRAIN);
    }

    /**
     * A training that has made all updates.
     *
     * @param metrics of all attempts
     * @param last the checkpoint after the last update
     * @param restarts of this attempt
     * @param warnings for the user
     */
    record Trained(MetricsLog metrics, Checkpoints.Reference last, int restarts, List<String> warnings) {}

    @Override
    public Trained runMissing(OutputClaim claim) throws IOException {
        context.storage().putString(claim.path("recipe.yaml"), recipe.toYaml());
        if (inputs.tokenizer().isPresent()) {
            SampleGrid.describe(context.storage(), claim.directory(), recipe, inputs.tokens());
        }
        Checkpoints.Found found = Checkpoints.resume(context.session(), claim);
        Optional<Checkpoints.Reference> resume = found.newest();
        List<String> warnings = new ArrayList<>(cost().warnings());
        sparkPreFlight().storeWarning(TokenStores.bytes(inputs.tokens())).ifPresent(warnings::add);
        warnings.addAll(inputs.tokens().warnings());
        warnings.addAll(found.warnings());
        warnings.forEach(LOG::warn);
        MetricsLog metrics = MetricsLog.resumeAt(
                claim, resume.map(Checkpoints.Reference::step).orElse(0L));
        try (Progress progress = context.progress("train", "steps", settings.steps())) {
            RankStages stages = new RankStages(context, inputs, claim, metrics, progress);
            Checkpoints.Reference last = stages.run(resume);
            warnings.addAll(stages.warnings());
            return new Trained(metrics, last, stages.restarts(), warnings);
        } finally {
            if (context.session().sparkContext().isLocal()) {
                // The ranks remove it when they end well; else clusters do when the application ends.
                TokenStores.of(conf(), claim.owner()).remove();
            }
        }
    }

    @Override
    public Outcome commit(OutputClaim claim, Trained trained) throws IOException {
        trained.metrics().publish(trained.last().step());
        Checkpoints.publishModel(claim, trained.last());
        long skipped = trained.last().counter(context.storage()).skipped();
        Map<String, Long> counts = Map.of(
                "steps", (long) settings.steps(),
                "skipped", skipped,
                "images", (long) settings.steps() * settings.batch(),
                "ranks", (long) settings.ranks(),
                "restarts", (long) trained.restarts());
        List<String> warnings = new ArrayList<>(trained.warnings());
        if (skipped > 0) {
            warnings.add(skipped + " of " + settings.steps() + " updates were skipped; the driver's log says why");
        }
        Report.Progress end = trained.metrics().last();
        return Outcome.of(counts, end == null ? Map.of() : Map.of("loss", end.loss()), warnings);
    }
}
