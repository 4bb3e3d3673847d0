package io.github.rarspark.generate;

import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.run.Manifest;
import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.run.Plan;
import io.github.rarspark.common.run.PreFlight;
import io.github.rarspark.common.run.RunOutput;
import io.github.rarspark.common.samples.SamplesManifest;
import io.github.rarspark.common.shard.ShardLedger;
import io.github.rarspark.common.shard.ShardReceipt;
import io.github.rarspark.common.spark.Progress;
import io.github.rarspark.common.spark.SparkSessions;
import io.github.rarspark.common.spark.UnitTasks;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.storage.Stored;
import io.github.rarspark.conf.GenerateSettings;
import io.github.rarspark.conf.Recipe;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.apache.spark.sql.SparkSession;

/**
 * Generates images from class labels: Parquet shards written by the tasks, then {@code samples.npz}, {@code grid.png},
 * the manifest and {@code result.json} by the driver. Image i depends on seed, class, index, recipe and weights only.
 */
public final class GenerateJob {
    private static final String COMMAND = "generate";
    private static final String THREADS = "threads";

    private final SparkSession session;
    private final Recipe recipe;
    private final Storage storage;
    private final boolean quiet;

    private GenerateJob(SparkSession session, Recipe recipe, boolean quiet) {
        this.session = session;
        this.recipe = recipe;
        this.storage = new Storage(session.sparkContext().hadoopConfiguration());
        this.quiet = quiet;
    }

    /**
     * Generates what the recipe's section {@code generate} asks for; does what is missing if an earlier attempt was
     * interrupted, and nothing if it was not.
     *
     * @param quiet whether to show no progress
     * @throws io.github.rarspark.kernel.error.DataException if weights, tokenizer and recipe do not fit together
     * @throws io.github.rarspark.common.JobException if an input is missing or the output is another's
     */
    public static JobResult run(SparkSession session, Recipe recipe, boolean quiet) throws IOException {
        return new GenerateJob(session, recipe, quiet).run();
    }

    private JobResult run() throws IOException {
        Instant started = Instant.now();
        GenerateSettings settings = recipe.generate();
        recipe.requireGiven(COMMAND, "generate.weights", "generate.tokenizer", "generate.output");
        PreFlight.requireInput(storage, "--weights", settings.weights());
        PreFlight.requireInput(storage, "--tokenizer", settings.tokenizer());
        PreFlight.requireApart(storage, "--weights", settings.weights(), settings.output());
        PreFlight.requireApart(storage, "--tokenizer", settings.tokenizer(), settings.output());
        GeneratorSpec generator = GeneratorSpec.of(storage, recipe);
        RunOutput output = new RunOutput(storage, storage.qualify(settings.output()));
        return output.run(plan(generator), started, claim -> run(claim, generator, started));
    }

    /** What is computed; how it is cut is for the first attempt to say. */
    private Plan plan(GeneratorSpec generator) {
        Map<String, String> units = SampleLayout.of(recipe).units();
        units.put(THREADS, Integer.toString(recipe.generate().threads()));
        return Plan.of(
                COMMAND,
                recipe.sha256("tokenizer", "model", COMMAND),
                Map.of(
                        "weights", generator.weights().sha256(),
                        "tokenizer", generator.tokenizer().sha256()),
                units);
    }

    private JobResult run(OutputClaim claim, GeneratorSpec generator, Instant started) throws IOException {
        Plan plan = claim.plan();
        SampleLayout layout = SampleLayout.of(recipe, plan);
        ShardLedger ledger = ShardLedger.open(claim, layout.shardNames());
        long resumed = ledger.finished().stream().mapToLong(ShardReceipt::rows).sum();
        makeShards(claim, generator, layout, ledger, layout.count() - resumed);

        int imageSize = recipe.image().size();
        SampleSet samples = new SampleSet(claim, layout, imageSize);
        Map<String, String> files = new TreeMap<>();
        for (Stored file : List.of(samples.writeNpz(), samples.writeGrid())) {
            files.put(Storage.name(file.path()), file.sha256());
        }
        Manifest.publish(
                claim,
                new SamplesManifest(
                        SamplesManifest.KIND,
                        plan.sha256(),
                        imageSize,
                        layout.count(),
                        layout.classes(),
                        generator.settings().seed(),
                        plan.inputs(),
                        ledger.complete(),
                        new TreeMap<>(files)));
        double seconds = Duration.between(started, Instant.now()).toMillis() / 1e3;
        return JobResult.done(
                plan,
                started,
                seconds,
                Map.of(
                        "images", (long) layout.count(),
                        "classes", (long) layout.classes().size(),
                        "shards", (long) layout.shards(),
                        "images_resumed", resumed),
                Map.of("images_per_second", (layout.count() - resumed) / seconds),
                warnings(layout));
    }

    private List<String> warnings(SampleLayout layout) {
        int classes = layout.classes().size();
        return layout.count() % classes == 0
                ? List.of()
                : List.of("the classes are unbalanced: " + layout.count() + " images are no multiple of " + classes
                        + " classes");
    }

    private void makeShards(
            OutputClaim claim, GeneratorSpec generator, SampleLayout layout, ShardLedger ledger, long images) {
        List<String> missing = ledger.missing();
        List<Integer> shards = IntStream.range(0, layout.shards())
                .filter(shard -> missing.contains(layout.shardName(shard)))
                .boxed()
                .toList();
        SparkSessions.describe(session, "generate " + shards.size() + " of " + layout.shards() + " shards");
        ShardTask task = new ShardTask(
                storage,
                claim.directory(),
                claim.plan().sha256(),
                layout,
                generator,
                claim.plan().unit(THREADS));
        try (Progress progress = Progress.start(COMMAND, "images", images, quiet)) {
            UnitTasks.run(session, shards, task, receipt -> {
                ledger.add(receipt);
                progress.step(receipt.rows());
            });
        }
    }
}
