package io.github.rarspark.cli.demo;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import io.github.rarspark.cli.scored.ScoredSet;
import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.KernelSettings;
import io.github.rarspark.common.job.Job;
import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.job.JobRunner;
import io.github.rarspark.common.job.Outcome;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.run.Plan;
import io.github.rarspark.common.storage.Json;
import io.github.rarspark.common.storage.Sha256;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.fid.FidMetrics;
import io.github.rarspark.kernel.rar.RarConfig;
import io.github.rarspark.kernel.weights.NamedTensors;
import io.github.rarspark.kernel.weights.safetensors.Safetensors;
import io.github.rarspark.tokenize.TokenizeJob;
import io.github.rarspark.train.TrainJob;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * The job {@code demo}: tokenizes the embedded images, trains on the tokens, generates, scores against the images,
 * repeats the last two with an untrained model, and writes a report. Each part is a job that does nothing if it is
 * finished, so running an interrupted demo again resumes it. Driver only.
 */
public final class DemoJob implements Job<DemoJob.Parts> {

    /** The trained model's distance should be less than this fraction of the untrained model's. */
    private static final double WORTHWHILE = 0.2;

    private final JobContext context;
    private final Recipe recipe;
    private final Storage storage;
    private final DemoLayout layout;
    private final Map<String, String> data;

    private DemoJob(JobContext context, Map<String, String> data) throws IOException {
        this.context = context;
        this.recipe = context.recipe();
        this.storage = context.storage();
        this.layout = new DemoLayout(storage.qualify(recipe.demo().output()));
        this.data = data;
    }

    /**
     * Runs the demo into {@code demo.output}; does nothing if it is finished.
     *
     * @throws JobException if the output belongs to another run, or the jar lacks the data
     */
    public static JobResult run(JobContext context) throws IOException {
        return JobRunner.run(context, DemoJob::open);
    }

    private static DemoJob open(JobContext context) throws IOException {
        context.recipe().requireGiven("demo", "demo.output");
        Map<String, String> data = new TreeMap<>();
        for (String name : DemoLayout.DATA) {
            data.put(name, Sha256.of(embedded(name)));
        }
        return new DemoJob(context, data);
    }

    @Override
    public String output() {
        return layout.output();
    }

    @Override
    public Plan plan() {
        return Plan.of("demo", recipe.resultSettings(), data, Map.of());
    }

    /**
     * The results of the jobs.
     *
     * @param seconds total time of all jobs
     */
    record Parts(JobResult tokens, JobResult training, ScoredSet trained, ScoredSet untrained, double seconds) {}

    @Override
    public Parts runMissing(OutputClaim claim) throws IOException {
        long began = System.nanoTime();
        for (String name : DemoLayout.DATA) {
            storage.putBytes(layout.data(name), embedded(name));
        }
        JobContext trained = context.with(layout.trained(recipe));
        JobResult tokens = TokenizeJob.run(trained);
        JobResult training = TrainJob.run(trained);
        ScoredSet images = ScoredSet.make(trained);

        writeUntrainedWeights();
        ScoredSet untrained = ScoredSet.make(context.with(layout.untrained(recipe)));
        return new Parts(tokens, training, images, untrained, (System.nanoTime() - began) / 1e9);
    }

    @Override
    public Outcome commit(OutputClaim claim, Parts parts) throws IOException {
        Map<String, Long> counts = new TreeMap<>(parts.training().counts());
        counts.put("generated", parts.trained().samples().counts().get("images"));
        parts.tokens().counts().forEach((name, count) -> counts.put("tokenized_" + name, count));
        Map<String, Double> metrics = new TreeMap<>(parts.training().metrics());
        metrics.put("loss_of_guessing", Math.log(recipe.model().codes()));
        metrics.putAll(parts.trained().score().metrics());
        metrics.put("fd_untrained", parts.untrained().score().metrics().get(FidMetrics.DISTANCE));
        Outcome outcome = Outcome.of(counts, metrics, warnings(parts.trained().score(), metrics));
        byte[] grid = storage.readBytes(layout.grid());
        String report = DemoReport.html(outcome, parts.seconds(), layout.trained(recipe), grid, losses());
        claim.publish("grid.png", out -> out.write(grid));
        claim.publish("report.html", out -> out.write(report.getBytes(StandardCharsets.UTF_8)));
        return outcome;
    }

    private List<DemoReport.Loss> losses() throws IOException {
        return storage.readString(layout.metrics())
                .lines()
                .map(line -> Json.read(line.getBytes(StandardCharsets.UTF_8), DemoReport.Loss.class, layout.metrics()))
                .toList();
    }

    private static List<String> warnings(JobResult score, Map<String, Double> metrics) {
        double trained = metrics.get(FidMetrics.DISTANCE);
        double untrained = metrics.get("fd_untrained");
        if (trained < WORTHWHILE * untrained) {
            return score.warnings();
        }
        List<String> warnings = new ArrayList<>(score.warnings());
        warnings.add(String.format(
                Locale.ROOT,
                "training had little effect: fd %.3g is more than a fifth of the untrained model's %.3g; train longer",
                trained,
                untrained));
        return warnings;
    }

    /** Writes the weights that training starts from. */
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
                        "Cannot find the demo's " + name + " in the jar: build it from a complete clone");
            }
            return in.readAllBytes();
        }
    }
}
