package io.github.rarspark.cli.demo;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.KernelSettings;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.run.Plan;
import io.github.rarspark.common.run.RunOutput;
import io.github.rarspark.common.storage.Json;
import io.github.rarspark.common.storage.Sha256;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.fid.FidJob;
import io.github.rarspark.generate.GenerateJob;
import io.github.rarspark.kernel.rar.RarConfig;
import io.github.rarspark.kernel.weights.NamedTensors;
import io.github.rarspark.kernel.weights.Safetensors;
import io.github.rarspark.tokenize.TokenizeJob;
import io.github.rarspark.train.TrainJob;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.sql.SparkSession;

/**
 * The job {@code demo}: tokenizes the embedded images, trains on the tokens, generates, scores against the images, does
 * the last two with an untrained model too, and writes a report. Each part is a job that does nothing if it is done, so
 * running an interrupted demo again resumes it. Driver only.
 */
public final class DemoJob {

    /** The distance of the trained model's images must be less than this share of the untrained model's. */
    private static final double WORTHWHILE = 0.2;

    private final SparkSession session;
    private final Recipe recipe;
    private final Storage storage;
    private final DemoLayout layout;
    private final boolean quiet;
    private final Instant started = Instant.now();

    private DemoJob(SparkSession session, Recipe recipe, boolean quiet) throws IOException {
        this.session = session;
        this.recipe = recipe;
        this.storage = new Storage(session.sparkContext().hadoopConfiguration());
        this.layout = new DemoLayout(storage.qualify(recipe.demo().output()));
        this.quiet = quiet;
    }

    /**
     * Runs the demo into {@code demo.output}, or does nothing if it is there.
     *
     * @param quiet whether to show no progress
     * @throws JobException if the output is another's, or the build lacks the data
     */
    public static JobResult run(SparkSession session, Recipe recipe, boolean quiet) throws IOException {
        return new DemoJob(session, recipe, quiet).run();
    }

    private JobResult run() throws IOException {
        recipe.requireGiven("demo", "demo.output");
        Map<String, String> inputs = new TreeMap<>();
        for (String name : DemoLayout.DATA) {
            inputs.put(name, Sha256.of(embedded(name)));
        }
        Plan plan = Plan.of("demo", recipe.sha256(), inputs, Map.of());
        return new RunOutput(storage, layout.output()).run(plan, started, this::run);
    }

    private JobResult run(OutputClaim claim) throws IOException {
        for (String name : DemoLayout.DATA) {
            storage.putBytes(layout.data(name), embedded(name));
        }
        Recipe trained = layout.trained(recipe);
        JobResult tokens = TokenizeJob.run(session, trained, quiet);
        JobResult training = new TrainJob(session, trained, quiet).run();
        JobResult samples = GenerateJob.run(session, trained, quiet);
        JobResult score = FidJob.run(session, trained, quiet);

        writeUntrainedWeights();
        Recipe untrained = layout.untrained(recipe);
        GenerateJob.run(session, untrained, quiet);
        JobResult untrainedScore = FidJob.run(session, untrained, quiet);

        Map<String, Long> counts = new TreeMap<>(training.counts());
        counts.put("generated", samples.counts().get("images"));
        tokens.counts().forEach((name, count) -> counts.put("tokenized_" + name, count));
        Map<String, Double> metrics = new TreeMap<>(training.metrics());
        metrics.put("loss_of_guessing", Math.log(recipe.model().codes()));
        metrics.putAll(score.metrics());
        metrics.put("fd_untrained", untrainedScore.metrics().get(FidJob.DISTANCE));
        double seconds = Duration.between(started, Instant.now()).toMillis() / 1e3;
        JobResult result = JobResult.done(claim.plan(), started, seconds, counts, metrics, warnings(score, metrics));
        byte[] grid = storage.readBytes(layout.grid());
        String report = DemoReport.html(result, trained, grid, losses());
        claim.publish("grid.png", out -> out.write(grid));
        claim.publish("report.html", out -> out.write(report.getBytes(StandardCharsets.UTF_8)));
        return result;
    }

    private List<DemoReport.Loss> losses() throws IOException {
        return storage.readString(layout.metrics())
                .lines()
                .map(line -> Json.read(line.getBytes(StandardCharsets.UTF_8), DemoReport.Loss.class, layout.metrics()))
                .toList();
    }

    private static List<String> warnings(JobResult score, Map<String, Double> metrics) {
        double trained = metrics.get(FidJob.DISTANCE);
        double untrained = metrics.get("fd_untrained");
        if (trained < WORTHWHILE * untrained) {
            return score.warnings();
        }
        List<String> warnings = new ArrayList<>(score.warnings());
        warnings.add(String.format(
                Locale.ROOT,
                "training has done little: fd %.3g is more than a fifth of the untrained model's %.3g; train longer",
                trained,
                untrained));
        return warnings;
    }

    /** The weights that training starts from. */
    private void writeUntrainedWeights() throws IOException {
        RarConfig config = KernelSettings.rar(recipe.model());
        try (NDManager manager = NDManager.newBaseManager(Device.cpu());
                NamedTensors weights = NamedTensors.initial(config.parameters(), recipe.seed(), manager)) {
            Map<String, String> metadata = Map.of("kind", "rar", "config", Json.line(config), "step", "0");
            storage.put(layout.untrainedWeights(), out -> Safetensors.write(out, metadata, weights.asMap()));
        }
    }

    private static byte[] embedded(String name) throws IOException {
        try (InputStream in = DemoJob.class.getResourceAsStream("/demo/" + name)) {
            if (in == null) {
                throw new JobException(
                        ExitCode.INTERNAL,
                        "Cannot find the demo's " + name + " in the jar; build it from a whole clone");
            }
            return in.readAllBytes();
        }
    }
}
