package io.github.rarspark.tokenize;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.KernelSettings;
import io.github.rarspark.common.images.ClassMap;
import io.github.rarspark.common.images.ImageSources;
import io.github.rarspark.common.images.ListedImages;
import io.github.rarspark.common.images.ListingFile;
import io.github.rarspark.common.images.Quarantine;
import io.github.rarspark.common.job.Job;
import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.job.JobRunner;
import io.github.rarspark.common.job.Outcome;
import io.github.rarspark.common.run.Growth;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.run.Plan;
import io.github.rarspark.common.run.PreFlight;
import io.github.rarspark.common.run.RunOutput;
import io.github.rarspark.common.shard.ReplacedShards;
import io.github.rarspark.common.shard.ShardLedger;
import io.github.rarspark.common.shard.ShardReceipt;
import io.github.rarspark.common.spark.Progress;
import io.github.rarspark.common.spark.SparkSessions;
import io.github.rarspark.common.spark.UnitTasks;
import io.github.rarspark.common.storage.ContentWriter;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.tokens.TokenFormat;
import io.github.rarspark.common.tokens.TokenGenerations;
import io.github.rarspark.common.tokens.TokenLines;
import io.github.rarspark.common.tokens.TokenManifest;
import io.github.rarspark.common.tokens.TokenShards;
import io.github.rarspark.common.tokens.TokenStatistics;
import io.github.rarspark.common.weights.WeightFile;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.TokenizeSettings;
import io.github.rarspark.kernel.image.CropSet;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/** The job {@code tokenize}: images to token shards, a manifest and the list of images that could not be used. */
public final class TokenizeJob implements Job<TokenizedShards> {
    private final JobContext context;
    private final Recipe recipe;
    private final TokenizeSettings settings;
    private final TokenizerFile tokenizer;
    private final NewFiles files;
    private final ListedImages images;

    private TokenizeJob(JobContext context, TokenizerFile tokenizer, NewFiles files) {
        this.context = context;
        this.recipe = context.recipe();
        this.settings = recipe.tokenize();
        this.tokenizer = tokenizer;
        this.files = files;
        this.images = files.images();
    }

    /**
     * Runs the job, or with {@code tokenize.check} only checks the existing output, or with {@code tokenize.preview} only
     * shows some images.
     *
     * @return the result; the earlier one if the output was finished before
     * @throws JobException with the code that the process ends with
     * @throws io.github.rarspark.kernel.error.DataException if the tokenizer does not match the recipe, or on bad data
     */
    public static JobResult run(JobContext context) throws IOException {
        TokenizeSettings settings = context.recipe().tokenize();
        if (settings.check() && settings.preview()) {
            throw new JobException(
                    ExitCode.USAGE, "Cannot use --check and --preview together: give them to one command each");
        }
        if (settings.check()) {
            return TokenCheck.run(context);
        }
        if (settings.preview()) {
            return preview(context);
        }
        JobResult result =
                JobRunner.run(context, LinesJob.isLines(settings.input()) ? LinesJob::open : TokenizeJob::open);
        // The lines are not part of the plan, so a finished output may lack them.
        if (settings.jsonl() && !context.storage().exists(Storage.child(settings.output(), TokenFormat.LINES_NAME))) {
            addLines(context.storage(), settings.output(), result);
        }
        return result;
    }

    /** Images and tokenizer, which fit together and fit the recipe. */
    private record Inputs(TokenizerFile tokenizer, ListedImages images) {}

    private static Inputs inputs(JobContext context) throws IOException {
        Recipe recipe = context.recipe();
        Storage storage = context.storage();
        TokenizeSettings settings = recipe.tokenize();
        recipe.requireGiven("tokenize", "tokenize.input", "tokenize.tokenizer", "tokenize.output");
        PreFlight.requireInput(storage, "--input", settings.input());
        WeightFile.require(storage, "--tokenizer", settings.tokenizer());
        PreFlight.requireApart(storage, "--input", settings.input(), settings.output());
        TokenizerFile tokenizer = TokenizerFile.inspect(storage, settings.tokenizer());
        tokenizer.requireFits(recipe);
        ListedImages images =
                ImageSources.open(context.session(), storage, "--input", settings.input(), classMap(storage, settings));
        images.requireClasses("--input", recipe.model().classes());
        return new Inputs(tokenizer, images);
    }

    private static TokenizeJob open(JobContext context) throws IOException {
        TokenizeSettings settings = context.recipe().tokenize();
        Inputs inputs = inputs(context);
        NewFiles files = settings.incremental()
                ? NewFiles.of(context.storage(), settings.output(), inputs.images())
                : NewFiles.all(inputs.images());
        TokenizeJob job = new TokenizeJob(context, inputs.tokenizer(), files);
        job.requireContinues();
        return job;
    }

    private static JobResult preview(JobContext context) throws IOException {
        String input = context.recipe().tokenize().input();
        if (LinesJob.isLines(input)) {
            throw new JobException(
                    ExitCode.USAGE,
                    "Cannot preview --input " + input + ": it has tokens, not images; leave out --preview");
        }
        Inputs inputs = inputs(context);
        return Preview.run(context, inputs.tokenizer(), inputs.images());
    }

    /** Checks that new images can be added to those that are there; says so if there are none. */
    private void requireContinues() throws IOException {
        if (files.generation() == 0) {
            return;
        }
        SameDataset.require(
                settings.output(),
                TokenShards.open(context.storage(), settings.output()).manifest(),
                manifest("", List.of(), 0, null));
        if (files.growth() == Growth.NOTHING_NEW) {
            files.warnings().forEach(context::say);
            context.say("nothing new in " + settings.input() + ": " + settings.output() + " has all its files");
        }
    }

    private static Optional<ClassMap> classMap(Storage storage, TokenizeSettings settings) throws IOException {
        if (settings.classMap().isEmpty()) {
            return Optional.empty();
        }
        PreFlight.requireInput(storage, "--class-map", settings.classMap());
        return Optional.of(ClassMap.read(storage, settings.classMap()));
    }

    @Override
    public String output() {
        return settings.output();
    }

    @Override
    public Plan plan() {
        return TokenizePlan.of(recipe, files, tokenizer, context.device()).plan();
    }

    @Override
    public Growth growth() {
        return files.growth();
    }

    @Override
    public TokenizedShards runMissing(OutputClaim output) throws IOException {
        if (files.generation() > 0) {
            TokenGenerations.keepFirst(output);
        }
        TokenizePlan plan = TokenizePlan.of(output.plan(), images);
        ShardLedger ledger = ShardLedger.open(context.session(), output, plan.shardNames());
        Quarantine quarantine = new Quarantine(
                output.directory(),
                files.generation(),
                "tokenize " + settings.input(),
                settings.maxBad(),
                images.images());
        TokenizedShards shards = new TokenizedShards(ledger, quarantine);
        List<TokenizePlan.Shard> missing = plan.shards(ledger.missing());
        TokenizeTask task = new TokenizeTask(
                context.storage(),
                output.directory(),
                output.plan().sha256(),
                tokenizer,
                crops(),
                recipe.image().size(),
                images.classNames().size(),
                plan.batch(settings.batch(), context.device()),
                settings.threads(),
                settings.decodeThreads(),
                context.device());
        try (Progress progress = progress(plan)) {
            for (TokenizedShard shard : TokenizedShards.earlier(
                    context, ledger, output.directory(), tokenizer.config().codes())) {
                shards.add(shard);
                progress.step(steps(shard));
            }
            SparkSessions.describe(context.session(), plan.sentence(missing));
            UnitTasks.run(context.session(), context.device(), missing, task, shard -> {
                shards.add(shard);
                progress.step(steps(shard));
            });
        } catch (Exception e) {
            abandon(plan.sentence(missing), e);
            quarantine.publishAfter(e, output);
            throw e;
        }
        return shards;
    }

    /** Counts images, or shards if nobody knows how many images there are. */
    private Progress progress(TokenizePlan plan) {
        return plan.images().isPresent()
                ? context.progress("tokenize", "images", plan.images().getAsLong())
                : context.progress("tokenize", "shards", plan.shards().size());
    }

    private long steps(TokenizedShard shard) {
        return images.images().isPresent()
                ? imagesOf(shard.receipt().rows()) + shard.findings().bad().size()
                : 1;
    }

    private long imagesOf(long rows) {
        return rows / crops().count();
    }

    private CropSet crops() {
        return KernelSettings.crops(recipe.image().crops());
    }

    /** Ends the tasks that still run; the shards stay for the next attempt. */
    private void abandon(String jobGroup, Exception failure) {
        try {
            context.session().sparkContext().cancelJobGroup(jobGroup);
        } catch (RuntimeException e) {
            failure.addSuppressed(e);
        }
    }

    /** Publishes what the shards hold: the list of bad images, the listing, the manifest, the lines if wanted. */
    @Override
    public Outcome commit(OutputClaim output, TokenizedShards tokenized) throws IOException {
        Quarantine quarantine = tokenized.quarantine();
        long added = 0;
        Preview preview = Preview.NONE;
        if (files.growth() != Growth.NOTHING_NEW) {
            preview = Preview.of(context, tokenizer, images);
            preview.publish(output, tokenized.statistics());
            added = publish(output, tokenized);
        }
        TokenShards published = TokenShards.open(context.storage(), output.directory());
        // Lines of fewer generations would be taken for all.
        if (settings.jsonl() || context.storage().exists(output.path(TokenFormat.LINES_NAME))) {
            output.publish(TokenFormat.LINES_NAME, TokenLines.writer(published));
        }
        Map<String, Long> counts = counts(published);
        counts.put("oriented", quarantine.oriented());
        if (settings.incremental()) {
            counts.put("images_new", added);
        }
        List<String> warnings = Stream.of(
                        images.warnings(), files.warnings(), quarantine.warnings(), preview.warnings())
                .flatMap(List::stream)
                .toList();
        StageSeconds stages = tokenized.stages();
        if (stages.images() > 0) {
            context.say(stages.bottleneck(context.device().isGpu()));
        }
        Map<String, Double> metrics = stages.metrics();
        metrics.putAll(preview.metrics());
        TokenStatistics statistics = published.manifest().statistics();
        if (statistics != null) {
            metrics.put("codes_used", (double) statistics.codesUsed());
            metrics.put("token_entropy", statistics.tokenEntropy());
        }
        return Outcome.of(counts, metrics, warnings).withRate("images_per_second", stages.images());
    }

    /** Publishes the shards as a generation; returns how many images it has. */
    private long publish(OutputClaim output, TokenizedShards tokenized) throws IOException {
        Quarantine quarantine = tokenized.quarantine();
        List<ShardReceipt> shards = tokenized.receipts();
        TokenManifest manifest = manifest(output.plan().sha256(), shards, quarantine.bad(), tokenized.statistics());
        quarantine.publish(output);
        quarantine.requireFew(manifest.images() + quarantine.bad());
        if (files.generation() == 0) {
            quarantine.requireUsable(manifest.images() + quarantine.bad());
        }
        ReplacedShards.requireNone(context.session(), output, shards);
        output.publish(ListingFile.name(files.generation()), ListingFile.writer(images.listing()));
        TokenGenerations.publish(output, files.generation(), manifest);
        return manifest.images();
    }

    private TokenManifest manifest(String planSha256, List<ShardReceipt> shards, long bad, TokenStatistics statistics) {
        long rows = shards.stream().mapToLong(ShardReceipt::rows).sum();
        return new TokenManifest(
                planSha256,
                tokenizer.file().sha256(),
                recipe.image().size(),
                recipe.image().size() / tokenizer.config().downsampling(),
                tokenizer.config().codes(),
                recipe.get("image.crops"),
                images.classNames(),
                imagesOf(rows),
                rows,
                bad,
                shards,
                statistics);
    }

    /** What the output has, of all generations. */
    private Map<String, Long> counts(TokenShards published) {
        TokenManifest manifest = published.manifest();
        Map<String, Long> counts = new TreeMap<>(Map.of(
                "images",
                manifest.images(),
                "rows",
                manifest.rows(),
                "shards",
                (long) manifest.shards().size(),
                "bad",
                manifest.quarantined()));
        if (settings.incremental()) {
            counts.put("generations", (long) published.generations());
            counts.put("files_removed", files.removed());
            counts.put("files_changed", files.changed());
        }
        return counts;
    }

    /** Writes the lines of an output that {@code result} finished and that nobody claims. */
    private static void addLines(Storage storage, String directory, JobResult result) throws IOException {
        ContentWriter lines = TokenLines.writer(TokenShards.open(storage, directory));
        storage.put(Storage.child(directory, TokenFormat.LINES_NAME), out -> {
            lines.write(out);
            if (!RunOutput.readResult(storage, directory).equals(Optional.of(result))) {
                throw new JobException(
                        ExitCode.TEMPORARY,
                        "Cannot write " + TokenFormat.LINES_NAME + " to " + directory
                                + ": another driver has begun to change the output; run again later");
            }
        });
    }
}
