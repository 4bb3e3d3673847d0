package io.github.rarspark.generate;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.job.Job;
import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.job.JobRunner;
import io.github.rarspark.common.job.Outcome;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.run.Plan;
import io.github.rarspark.common.run.PreFlight;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.weights.WeightFile;
import io.github.rarspark.conf.GenerateSettings;
import io.github.rarspark.conf.Recipe;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Generates images from class labels: Parquet shards written by the tasks, then {@code samples.npz}, {@code grid.png},
 * the manifest and {@code result.json} by the driver. Image i depends only on seed, class, index, recipe and weights.
 */
public final class GenerateJob implements Job<SampleShards> {
    private static final String COMMAND = "generate";
    private static final String EMA = "ema.safetensors";

    private final JobContext context;
    private final Recipe recipe;
    private final GeneratorSpec generator;

    private GenerateJob(JobContext context, GeneratorSpec generator) {
        this.context = context;
        this.recipe = context.recipe();
        this.generator = generator;
    }

    /**
     * Generates the images of the recipe's section {@code generate}; resumes an interrupted attempt, and does nothing
     * if the output is finished.
     *
     * @throws io.github.rarspark.kernel.error.DataException if weights, tokenizer and recipe do not match
     * @throws io.github.rarspark.common.JobException if an input is missing or the output belongs to another run
     */
    public static JobResult run(JobContext context) throws IOException {
        return JobRunner.run(context, GenerateJob::open);
    }

    private static GenerateJob open(JobContext context) throws IOException {
        Recipe recipe = context.recipe();
        Storage storage = context.storage();
        GenerateSettings settings = recipe.generate();
        recipe.requireGiven(COMMAND, "generate.weights", "generate.tokenizer", "generate.output");
        if (settings.ema()) {
            return open(context.with(averaged(storage, recipe)));
        }
        WeightFile.require(storage, "--weights", settings.weights());
        WeightFile.require(storage, "--tokenizer", settings.tokenizer());
        PreFlight.requireApart(storage, "--weights", settings.weights(), settings.output());
        PreFlight.requireApart(storage, "--tokenizer", settings.tokenizer(), settings.output());
        return new GenerateJob(context, GeneratorSpec.of(storage, recipe));
    }

    /** The recipe with the average of the weights in the place of the weights. */
    private static Recipe averaged(Storage storage, Recipe recipe) throws IOException {
        String weights = recipe.generate().weights();
        String averages =
                weights.substring(0, weights.length() - Storage.name(weights).length()) + EMA;
        if (!storage.exists(averages)) {
            throw new JobException(
                    ExitCode.NO_INPUT,
                    "Cannot use --ema: " + averages + " does not exist; give --weights of a run that was trained with"
                            + " train.ema_decay");
        }
        return recipe.with(Map.of("generate.weights", averages, "generate.ema", "false"));
    }

    @Override
    public String output() {
        return recipe.generate().output();
    }

    @Override
    public Plan plan() {
        return Plan.of(
                COMMAND,
                recipe.resultSettings("tokenizer", "model", COMMAND),
                Map.of(
                        "weights", generator.weights().sha256(),
                        "tokenizer", generator.tokenizer().sha256()),
                SampleLayout.of(recipe).units());
    }

    @Override
    public long leastBytes() {
        return SampleSet.npzBytes(SampleLayout.of(recipe), recipe.image().size());
    }

    @Override
    public SampleShards runMissing(OutputClaim claim) throws IOException {
        SampleLayout layout = SampleLayout.of(recipe).with(claim.plan());
        ShardTask task =
                new ShardTask(context.storage(), claim.directory(), claim.plan().sha256(), layout, generator);
        Set<Integer> again = generator.settings().tokens()
                ? TokenFolder.missing(context.session(), claim, layout.shards())
                : Set.of();
        return SampleShards.make(context, claim, layout, COMMAND, again, task);
    }

    @Override
    public Outcome commit(OutputClaim claim, SampleShards shards) throws IOException {
        SampleLayout layout = shards.layout();
        if (generator.settings().tokens()) {
            TokenFolder.publish(
                    context.session(),
                    claim,
                    layout.shards(),
                    recipe,
                    generator.tokenizer().sha256());
        }
        shards.publish(
                context.session(),
                claim,
                recipe.image().size(),
                generator.settings().seed());
        Map<String, Long> counts = Map.of(
                "images", (long) layout.count(),
                "classes", (long) layout.classes().size(),
                "shards", (long) layout.shards(),
                "images_resumed", shards.resumed());
        return Outcome.of(counts, Map.of(), warnings(layout)).withRate("images_per_second", shards.made());
    }

    private static List<String> warnings(SampleLayout layout) {
        int classes = layout.classes().size();
        return layout.count() % classes == 0
                ? List.of()
                : List.of("the classes are unbalanced: " + layout.count() + " images are not a multiple of " + classes
                        + " classes");
    }
}
