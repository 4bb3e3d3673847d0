package io.github.rarspark.train;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.KernelSettings;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.run.Plan;
import io.github.rarspark.common.run.PreFlight;
import io.github.rarspark.common.run.RunOutput;
import io.github.rarspark.common.spark.BarrierStage;
import io.github.rarspark.common.spark.Progress;
import io.github.rarspark.common.spark.SparkSessions;
import io.github.rarspark.common.spark.WeightFile;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.tokens.TokenShape;
import io.github.rarspark.common.tokens.TokenShards;
import io.github.rarspark.common.tokens.TokenSource;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.TrainSettings;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.rar.MergedPositions;
import io.github.rarspark.kernel.vqgan.VqganConfig;
import io.github.rarspark.kernel.weights.TensorFile;
import io.github.rarspark.train.coordinator.Coordinator;
import io.github.rarspark.train.coordinator.Report;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.spark.SparkConf;
import org.apache.spark.sql.SparkSession;

/**
 * The job {@code train}: plans, starts the ranks together, makes their checkpoints count, publishes the final weights.
 * Running it again over an unfinished output resumes from the last checkpoint that counts. Driver only.
 */
public final class TrainJob {
    private final SparkSession session;
    private final Recipe recipe;
    private final TrainSettings settings;
    private final Storage storage;
    private final boolean quiet;
    /** The updates that the progress shows; reports are handled one at a time. */
    private long shown;

    private final List<Report.Failure> failures = new CopyOnWriteArrayList<>();

    /** A job for {@code recipe.train()}; {@code train.tokens} and {@code train.output} have to be given. */
    public TrainJob(SparkSession session, Recipe recipe, boolean quiet) {
        this.session = session;
        this.recipe = recipe;
        this.settings = recipe.train();
        this.storage = new Storage(session.sparkContext().hadoopConfiguration());
        this.quiet = quiet;
    }

    /**
     * Trains, or only measures the loss with {@code train.evaluate}; does nothing if the output is finished.
     *
     * @throws JobException {@link ExitCode#NO_INPUT} if the tokens are missing, {@link ExitCode#DATA} if they do not fit
     *     the model, {@link ExitCode#OUTPUT_EXISTS} or {@link ExitCode#TEMPORARY} if the output is another's, {@link
     *     ExitCode#UNAVAILABLE} if there are fewer task slots than ranks
     */
    public JobResult run() throws IOException {
        recipe.requireGiven("train", "train.tokens", "train.output");
        Instant started = Instant.now();
        TokenShape shape = new TokenShape(
                recipe.model().tokens(), recipe.model().codes(), recipe.model().classes());
        TokenSource tokens = TokenSource.open(storage, "--tokens", settings.tokens(), shape);
        if (settings.evaluate()) {
            return new EvaluateJob(session, recipe, quiet).run(tokens);
        }
        Optional<WeightFile> tokenizer = tokenizerOf(tokens);
        Optional<WeightFile> init = init();
        requireSlots();
        Plan plan = plan(tokens, init);
        return new RunOutput(storage, settings.output()).run(plan, started, claim -> {
            storage.putString(claim.path("recipe.yaml"), recipe.toYaml());
            return train(claim, new Inputs(tokens, init, tokenizer), started);
        });
    }

    /** What the ranks read, apart from checkpoints. */
    private record Inputs(TokenSource tokens, Optional<WeightFile> init, Optional<WeightFile> tokenizer) {}

    private Plan plan(TokenSource tokens, Optional<WeightFile> init) {
        Map<String, String> inputs = new LinkedHashMap<>();
        inputs.put("tokens", tokens.sha256());
        init.ifPresent(weights -> inputs.put("init", weights.sha256()));
        return Plan.of("train", recipe.sha256("model", "train"), inputs, Map.of());
    }

    private Optional<WeightFile> init() throws IOException {
        if (settings.init().isEmpty()) {
            return Optional.empty();
        }
        PreFlight.requireInput(storage, "--init", settings.init());
        WeightFile weights = WeightFile.of(storage, settings.init());
        TensorFile file = weights.read(storage);
        KernelSettings.rar(recipe.model()).parameters().check(settings.init(), file.tensors());
        if (MergedPositions.order(file.metadata()).isPresent()) {
            throw new DataException("Cannot train from " + settings.init() + ": its positions are merged for the order "
                    + MergedPositions.order(file.metadata()).get().label() + "; give the weights before merging");
        }
        return Optional.of(weights);
    }

    /** The tokenizer draws the samples, so it has to be the one that the model learns the codes of. */
    private Optional<WeightFile> tokenizerOf(TokenSource tokens) throws IOException {
        if (settings.tokenizer().isEmpty()) {
            return Optional.empty();
        }
        PreFlight.requireInput(storage, "--tokenizer", settings.tokenizer());
        WeightFile tokenizer = WeightFile.of(storage, settings.tokenizer());
        int codes = VqganConfig.of(tokenizer.read(storage)).codes();
        boolean another = tokens instanceof TokenShards shards
                && !shards.manifest().tokenizerSha256().equals(tokenizer.sha256());
        if (codes != recipe.model().codes() || another) {
            throw new JobException(
                    ExitCode.DATA,
                    "Cannot use the tokenizer " + settings.tokenizer() + " (" + codes + " codes): the tokens in "
                            + settings.tokens() + " (" + recipe.model().codes()
                            + " codes) were made with another one; give that or leave --tokenizer out");
        }
        return Optional.of(tokenizer);
    }

    private void requireSlots() {
        int slots = SparkSessions.context(session).defaultParallelism();
        if (session.sparkContext().isLocal() && slots < settings.ranks()) {
            throw new JobException(
                    ExitCode.UNAVAILABLE,
                    "Cannot start " + settings.ranks() + " ranks (train.ranks) on " + slots
                            + " local task slots; use --master local[" + settings.ranks() + "] or fewer ranks");
        }
    }

    private JobResult train(OutputClaim claim, Inputs inputs, Instant started) throws IOException {
        Optional<Checkpoints.Reference> resume = Checkpoints.last(claim);
        long begin = resume.map(Checkpoints.Reference::step).orElse(0L);
        MetricsLog metrics = MetricsLog.resumeAt(claim, begin);
        SparkConf conf = session.sparkContext().getConf();
        String host = conf.get("spark.driver.host");
        try (Progress progress = Progress.start("train", "steps", settings.steps(), quiet);
                Coordinator coordinator = new Coordinator(
                        host,
                        conf.get("spark.driver.bindAddress", host),
                        report -> handle(report, claim, metrics, progress))) {
            shown = begin;
            progress.step(begin);
            RankAssignment assignment = new RankAssignment(
                    recipe,
                    storage,
                    inputs.tokens(),
                    claim.directory(),
                    claim.plan().sha256(),
                    claim.attempt(),
                    resume.orElse(null),
                    inputs.init().orElse(null),
                    inputs.tokenizer().orElse(null),
                    coordinator.address());
            runRanks(assignment, coordinator);
        }
        Checkpoints.Reference last = Checkpoints.last(claim)
                .orElseThrow(() -> new IllegalStateException("Training ended without a checkpoint"));
        metrics.publish();
        Checkpoints.publishModel(claim, last);
        return result(claim, started, metrics);
    }

    private void runRanks(RankAssignment assignment, Coordinator coordinator) {
        int ranks = settings.ranks();
        SparkSessions.describe(session, "train " + settings.steps() + " steps on " + ranks + " ranks");
        try {
            BarrierStage.run(SparkSessions.context(session), ranks, Long.class, new RankTask(assignment));
        } catch (Exception e) {
            // Spark's own exception is checked, which its Java API does not say.
            throw explained(e, coordinator);
        }
    }

    /** The reason why a stage failed: what the driver refused, else what a rank reported, else what Spark says. */
    private JobException explained(Exception stageFailure, Coordinator coordinator) {
        Optional<Exception> refused = coordinator.failure();
        if (refused.isPresent()) {
            Exception cause = refused.get();
            return new JobException(ExitCode.of(cause), ExitCode.message(cause), cause);
        }
        // A rank that ends for a reason of its own makes the others fail with a lost connection.
        Optional<Report.Failure> reported = failures.stream()
                .filter(failure -> !failure.exitCode().retryable())
                .findFirst()
                .or(() -> failures.stream().findFirst());
        if (reported.isEmpty()) {
            return new JobException(ExitCode.of(stageFailure), ExitCode.message(stageFailure), stageFailure);
        }
        Report.Failure failure = reported.get();
        String text = failure.exitCode() == ExitCode.TEMPORARY
                ? "Rank " + failure.rank() + " of " + settings.ranks() + " lost the others (" + failure.message()
                        + "); run again to go on from the last checkpoint"
                : failure.message();
        return new JobException(failure.exitCode(), text, stageFailure);
    }

    private void handle(Report report, OutputClaim claim, MetricsLog metrics, Progress progress) throws IOException {
        if (report instanceof Report.Progress made) {
            metrics.add(made);
            progress.step(made.step() - shown);
            shown = made.step();
            progress.note(String.format(Locale.ROOT, "loss %.4f, %.1f images/s", made.loss(), made.imagesPerSecond()));
        } else if (report instanceof Report.Checkpoint written) {
            List<CheckpointManifest.File> files =
                    written.files().stream().map(CheckpointManifest.File::of).toList();
            Checkpoints.publish(
                    claim,
                    written.directory(),
                    new CheckpointManifest(
                            written.step(), claim.attempt(), claim.plan().sha256(), files));
            metrics.publish();
        } else if (report instanceof Report.Failure failure) {
            failures.add(failure);
        }
    }

    private JobResult result(OutputClaim claim, Instant started, MetricsLog metrics) {
        Report.Progress last = metrics.last();
        double seconds = Duration.between(started, Instant.now()).toMillis() / 1e3;
        Map<String, Long> counts = Map.of(
                "steps", (long) settings.steps(),
                "images", (long) settings.steps() * settings.batch(),
                "ranks", (long) settings.ranks());
        Map<String, Double> figures = last == null ? Map.of() : Map.of("loss", last.loss());
        return JobResult.done(claim.plan(), started, seconds, counts, figures, List.of());
    }
}
