package io.github.rarspark.generate;

import io.github.rarspark.common.job.Job;
import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.job.JobRunner;
import io.github.rarspark.common.job.Outcome;
import io.github.rarspark.common.memory.MemoryNeeds;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.run.Plan;
import io.github.rarspark.common.run.PreFlight;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.tokens.TokenShape;
import io.github.rarspark.common.tokens.TokenShards;
import io.github.rarspark.common.tokens.TokenSource;
import io.github.rarspark.common.weights.WeightFile;
import io.github.rarspark.conf.DecodeSettings;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.vqgan.VqganConfig;
import io.github.rarspark.kernel.vqgan.VqganCost;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The job {@code decode}: decodes token rows to images, in the same files as {@link GenerateJob}. */
public final class DecodeJob implements Job<SampleShards> {
    private static final String COMMAND = "decode";

    private final JobContext context;
    private final Recipe recipe;
    private final DecodeSettings settings;
    private final TokenSource tokens;
    private final WeightFile tokenizer;
    private final VqganConfig config;
    private final SampleLayout layout;

    private DecodeJob(JobContext context, TokenSource tokens, WeightFile tokenizer) throws IOException {
        this.context = context;
        this.recipe = context.recipe();
        this.settings = recipe.decode();
        this.tokens = tokens;
        this.tokenizer = tokenizer;
        this.config = VqganConfig.of(tokenizer.read(context.storage()));
        requireFits();
        long rows = settings.count() == 0 ? tokens.rows() : Math.min(settings.count(), tokens.rows());
        this.layout = SampleLayout.of(
                context.session(),
                Math.toIntExact(rows),
                settings.shardImages(),
                new VqganCost(config).decodeFlop(recipe.image().size()),
                settings.threads(),
                settings.batch(),
                context.device());
    }

    /**
     * Decodes the tokens of the recipe's section {@code decode}; resumes an interrupted attempt, and does nothing if
     * the output is finished.
     *
     * @throws DataException if tokens, tokenizer and recipe do not match
     * @throws io.github.rarspark.common.JobException if an input is missing or the output belongs to another run
     */
    public static JobResult run(JobContext context) throws IOException {
        JobResult result = JobRunner.run(context, DecodeJob::open);
        DecodeSettings settings = context.recipe().decode();
        if (settings.png()) {
            PngFolder.complete(context, settings.output());
        }
        return result;
    }

    private static DecodeJob open(JobContext context) throws IOException {
        Recipe recipe = context.recipe();
        Storage storage = context.storage();
        DecodeSettings settings = recipe.decode();
        recipe.requireGiven(COMMAND, "decode.tokens", "decode.tokenizer", "decode.output");
        WeightFile.require(storage, "--tokenizer", settings.tokenizer());
        PreFlight.requireApart(storage, "--tokens", settings.tokens(), settings.output());
        PreFlight.requireApart(storage, "--tokenizer", settings.tokenizer(), settings.output());
        TokenShape shape =
                new TokenShape(recipe.model().tokens(), recipe.model().codes(), Integer.MAX_VALUE);
        TokenSource tokens =
                TokenSource.openPinned(storage, "--tokens", settings.tokens(), shape, settings.output(), context::say);
        return new DecodeJob(context, tokens, WeightFile.of(storage, settings.tokenizer()));
    }

    private void requireFits() {
        if (config.codes() != recipe.model().codes()
                || config.downsampling() != recipe.tokenizer().downsampling()) {
            throw new DataException("Cannot decode with " + tokenizer.path() + ": it has " + config.codes()
                    + " codes and an upsampling factor of " + config.downsampling() + ", but the recipe gives "
                    + recipe.model().codes() + " (tokenizer.codes) and "
                    + recipe.tokenizer().downsampling()
                    + " (tokenizer.channel_mult); use the recipe that it was trained with");
        }
        if (tokens instanceof TokenShards shards && !shards.manifest().canBeOf(tokenizer.sha256())) {
            throw new DataException("Cannot decode " + settings.tokens() + " with " + tokenizer.path()
                    + ": the tokens were produced by the tokenizer with SHA-256 "
                    + shards.manifest().tokenizerSha256() + ", this one has " + tokenizer.sha256()
                    + "; give the tokenizer that produced them");
        }
    }

    @Override
    public String output() {
        return settings.output();
    }

    @Override
    public Plan plan() {
        return Plan.of(
                COMMAND,
                recipe.resultSettings("tokenizer", COMMAND, "compute"),
                Map.of(TokenSource.INPUT, tokens.sha256(), "tokenizer", tokenizer.sha256()),
                layout.units(context.device()));
    }

    @Override
    public long leastBytes() {
        return MemoryNeeds.archiveBytes(layout.count(), recipe.image().size());
    }

    @Override
    public SampleShards runMissing(OutputClaim claim) throws IOException {
        SampleLayout planned = layout.with(claim.plan());
        DecodeTask task = new DecodeTask(
                context.storage(),
                claim.directory(),
                claim.plan().sha256(),
                planned,
                tokens,
                tokens.blockRows(),
                tokenizer,
                planned.batch(),
                settings.threads(),
                context.device());
        return SampleShards.make(context, claim, planned, COMMAND, Set.of(), context.device(), task);
    }

    @Override
    public Outcome commit(OutputClaim claim, SampleShards shards) throws IOException {
        if (settings.png()) {
            PngFolder.write(context, claim.directory(), shards.receipts());
        }
        SampleSet samples = new SampleSet(
                claim,
                shards.layout(),
                recipe.image().size(),
                SampleSet.gridColumns(0),
                new ClassNames(tokens.classNames()));
        shards.publish(context.session(), samples, List.of(), List.of(), 0);
        Map<String, Long> counts = Map.of(
                "images", (long) shards.layout().count(),
                "shards", (long) shards.layout().shards(),
                "images_resumed", shards.resumed());
        return Outcome.of(counts, Map.of(), List.of()).withRate("images_per_second", shards.made());
    }
}
