package io.github.rarspark.generate;

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
    private final GenerateSettings settings;
    private final GeneratorInputs inputs;
    private final GeneratorSpec generator;
    private final ClassTurns turns;
    private final SampleLayout layout;

    private GenerateJob(JobContext context, GeneratorInputs inputs) {
        this.context = context;
        this.recipe = context.recipe();
        this.settings = recipe.generate();
        this.inputs = inputs;
        this.generator = inputs.spec();
        this.turns = ClassTurns.of(recipe);
        this.layout = SampleLayout.of(
                context.session(),
                turns.images(),
                settings.shardImages(),
                inputs.flopPerImage(),
                settings.threads(),
                settings.batch(),
                context.device());
    }

    /**
     * Generates the images of the recipe's section {@code generate}; resumes an interrupted attempt, and does nothing
     * if the output is finished.
     *
     * @throws io.github.rarspark.kernel.error.DataException if weights, tokenizer and recipe do not match
     * @throws io.github.rarspark.common.JobException if an input is missing or the output belongs to another run
     */
    public static JobResult run(JobContext context) throws IOException {
        JobResult result = JobRunner.run(context, GenerateJob::open);
        GenerateSettings settings = context.recipe().generate();
        if (settings.png()) {
            PngFolder.complete(context, settings.output());
        }
        return result;
    }

    /**
     * The inputs that the plans of {@link #run} name; checks and opens them as that does.
     *
     * @param points recipes that differ in settings of sampling only; each is checked
     */
    public static Map<String, String> inputs(JobContext context, List<Recipe> points) throws IOException {
        GenerateJob first = open(context.with(points.get(0)));
        points.forEach(point -> first.inputs.requireOrder(point.generate().order()));
        return first.plan().inputs();
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
        return new GenerateJob(context, GeneratorInputs.open(context));
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
                recipe.resultSettings("tokenizer", "model", COMMAND, "compute"),
                Map.of(
                        "weights", generator.weights().sha256(),
                        "tokenizer", generator.tokenizer().sha256()),
                layout.units(context.device()));
    }

    @Override
    public long leastBytes() {
        return MemoryNeeds.outputBytes(recipe, Workload.GENERATE);
    }

    @Override
    public SampleShards runMissing(OutputClaim claim) throws IOException {
        SampleLayout planned = layout.with(claim.plan());
        ShardTask task =
                new ShardTask(context.storage(), claim.directory(), claim.plan().sha256(), planned, turns, generator);
        Set<Integer> again =
                settings.tokens() ? TokenFolder.missing(context.session(), claim, planned.shards()) : Set.of();
        return SampleShards.make(context, claim, planned, COMMAND, again, context.device(), task);
    }

    @Override
    public Outcome commit(OutputClaim claim, SampleShards shards) throws IOException {
        SampleLayout planned = shards.layout();
        if (settings.tokens()) {
            TokenFolder.publish(
                    context.session(),
                    claim,
                    planned.shards(),
                    recipe,
                    inputs.names(),
                    generator.tokenizer().sha256());
        }
        if (settings.png()) {
            PngFolder.write(context, claim.directory(), shards.receipts());
        }
        int columns = SampleSet.gridColumns(turns.classes().size());
        shards.publish(
                context.session(),
                new SampleSet(claim, planned, recipe.image().size(), columns, inputs.names()),
                turns.classes(),
                settings.classCounts().isEmpty() ? List.of() : turns.counts(),
                settings.seed());
        Map<String, Long> counts = Map.of(
                "images", (long) planned.count(),
                "classes", (long) turns.classes().size(),
                "shards", (long) planned.shards(),
                "images_resumed", shards.resumed());
        return Outcome.of(counts, Map.of(), warnings()).withRate("images_per_second", shards.made());
    }

    private List<String> warnings() {
        int classes = settings.classes().isEmpty()
                ? recipe.model().classes()
                : settings.classes().size();
        return !settings.classCounts().isEmpty() || turns.images() % classes == 0
                ? List.of()
                : List.of("the classes are unbalanced: " + turns.images() + " images are not a multiple of " + classes
                        + " classes; generate.samples_per_class gives each as many");
    }
}
