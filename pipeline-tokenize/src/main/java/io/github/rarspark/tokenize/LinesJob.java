package io.github.rarspark.tokenize;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.images.ImageFindings;
import io.github.rarspark.common.images.Quarantine;
import io.github.rarspark.common.job.Job;
import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.job.Outcome;
import io.github.rarspark.common.run.Manifest;
import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.run.Plan;
import io.github.rarspark.common.run.PreFlight;
import io.github.rarspark.common.shard.ReplacedShards;
import io.github.rarspark.common.shard.ShardLedger;
import io.github.rarspark.common.shard.ShardReceipt;
import io.github.rarspark.common.spark.Progress;
import io.github.rarspark.common.spark.SparkSessions;
import io.github.rarspark.common.spark.UnitTasks;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.tokens.TokenBlock;
import io.github.rarspark.common.tokens.TokenCounter;
import io.github.rarspark.common.tokens.TokenFormat;
import io.github.rarspark.common.tokens.TokenLines;
import io.github.rarspark.common.tokens.TokenManifest;
import io.github.rarspark.common.tokens.TokenRow;
import io.github.rarspark.common.tokens.TokenShape;
import io.github.rarspark.common.weights.WeightFile;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.TokenizeSettings;
import io.github.rarspark.kernel.error.DataException;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;

/**
 * {@code tokenize} of a file of lines: what another program has tokenized becomes token shards. Each line is a row of an
 * image of its own; a shard has {@code tokenize.shard_images} of them.
 */
final class LinesJob implements Job<TokenizedShards> {
    private static final String SHARD_IMAGES = "shard_images";

    private final JobContext context;
    private final Recipe recipe;
    private final TokenizeSettings settings;
    private final Optional<TokenizerFile> tokenizer;
    private final TokenLines lines;

    private LinesJob(JobContext context, Optional<TokenizerFile> tokenizer, TokenLines lines) {
        this.context = context;
        this.recipe = context.recipe();
        this.settings = recipe.tokenize();
        this.tokenizer = tokenizer;
        this.lines = lines;
    }

    /** Whether an input is lines of tokens instead of images. */
    static boolean isLines(String input) {
        return input.endsWith(".jsonl");
    }

    static LinesJob open(JobContext context) throws IOException {
        Recipe recipe = context.recipe();
        Storage storage = context.storage();
        TokenizeSettings settings = recipe.tokenize();
        recipe.requireGiven("tokenize", "tokenize.input", "tokenize.output");
        PreFlight.requireInput(storage, "--input", settings.input());
        PreFlight.requireApart(storage, "--input", settings.input(), settings.output());
        if (!settings.classMap().isEmpty()) {
            throw new JobException(
                    ExitCode.USAGE,
                    "Cannot use --class-map " + settings.classMap() + " for --input " + settings.input()
                            + ": the classes of its lines are ids; leave it out");
        }
        if (settings.incremental()) {
            throw new JobException(
                    ExitCode.USAGE,
                    "Cannot use --incremental for --input " + settings.input()
                            + ": new files are found in folders of images; leave it out and choose another --output");
        }
        Optional<TokenizerFile> tokenizer = Optional.empty();
        if (!settings.tokenizer().isEmpty()) {
            WeightFile.require(storage, "--tokenizer", settings.tokenizer());
            tokenizer = Optional.of(TokenizerFile.inspect(storage, settings.tokenizer()));
            tokenizer.get().requireFits(recipe);
        }
        TokenLines lines =
                TokenLines.open(storage, storage.qualify(settings.input()), shape(recipe), settings.shardImages());
        if (lines.rows() == 0) {
            throw new DataException("Cannot read --input " + settings.input() + ": it has no lines with content");
        }
        return new LinesJob(context, tokenizer, lines);
    }

    private static int grid(Recipe recipe) {
        return recipe.image().size() / recipe.tokenizer().downsampling();
    }

    private static TokenShape shape(Recipe recipe) {
        return new TokenShape(
                grid(recipe) * grid(recipe),
                recipe.tokenizer().codes(),
                recipe.model().classes());
    }

    private String tokenizerSha256() {
        return tokenizer.map(file -> file.file().sha256()).orElse("");
    }

    @Override
    public String output() {
        return settings.output();
    }

    @Override
    public Plan plan() {
        return Plan.of(
                "tokenize",
                recipe.resultSettings("image", "tokenizer", "tokenize"),
                Map.of(Plan.FILES, lines.sha256(), "tokenizer", tokenizerSha256()),
                Map.of(SHARD_IMAGES, Integer.toString(settings.shardImages())));
    }

    /**
     * A shard to write.
     *
     * @param name of the shard
     * @param block its lines
     * @param firstRow the number of the first of them, from 0
     */
    private record Shard(String name, int block, long firstRow) implements Serializable {}

    private List<Shard> shards() {
        List<Shard> shards = new ArrayList<>();
        long row = 0;
        for (long rows : lines.blockRows()) {
            shards.add(new Shard(TokenFormat.shardName(0, shards.size()), shards.size(), row));
            row += rows;
        }
        return shards;
    }

    @Override
    public TokenizedShards runMissing(OutputClaim output) throws IOException {
        List<Shard> shards = shards();
        ShardLedger ledger = ShardLedger.open(
                context.session(), output, shards.stream().map(Shard::name).toList());
        TokenizedShards done = new TokenizedShards(
                ledger,
                new Quarantine(
                        output.directory(),
                        "tokenize " + settings.input(),
                        settings.maxBad(),
                        OptionalLong.of(lines.rows())));
        Set<String> names = ledger.missing();
        List<Shard> missing =
                shards.stream().filter(shard -> names.contains(shard.name())).toList();
        try (Progress progress = context.progress("tokenize", "lines", lines.rows())) {
            for (TokenizedShard shard : TokenizedShards.earlier(
                    context, ledger, output.directory(), recipe.tokenizer().codes())) {
                done.add(shard);
                progress.step(shard.receipt().rows());
            }
            SparkSessions.describe(
                    context.session(), "write the lines of " + missing.size() + " of " + shards.size() + " shards");
            LinesTask task = new LinesTask(
                    context.storage(),
                    output.directory(),
                    output.plan().sha256(),
                    lines,
                    Storage.name(settings.input()),
                    recipe.tokenizer().codes());
            UnitTasks.run(context.session(), missing, task, shard -> {
                done.add(shard);
                progress.step(shard.receipt().rows());
            });
        }
        return done;
    }

    /** Writes a shard, in a task. */
    private record LinesTask(
            Storage storage, String directory, String planSha256, TokenLines lines, String file, int codes)
            implements UnitTasks.Work<Shard, TokenizedShard> {
        @Override
        public TokenizedShard run(Shard shard) throws IOException {
            TokenBlock block = lines.read(shard.block());
            TokenCounter counts = new TokenCounter(codes);
            ShardReceipt receipt =
                    TokenFormat.ROWS.write(storage, Storage.child(directory, shard.name()), planSha256, sink -> {
                        for (int i = 0; i < block.rows(); i++) {
                            long[] tokens = new long[block.tokensPerRow()];
                            block.copyTokens(i, tokens, 0);
                            TokenRow row =
                                    new TokenRow(file + "#" + (shard.firstRow() + i), block.classIds()[i], 0, tokens);
                            counts.add(row);
                            sink.accept(row);
                        }
                    });
            return new TokenizedShard(receipt, ImageFindings.NONE, counts, StageSeconds.NONE);
        }
    }

    @Override
    public Outcome commit(OutputClaim output, TokenizedShards tokenized) throws IOException {
        tokenized.quarantine().publish(output);
        List<ShardReceipt> shards = tokenized.receipts();
        long rows = shards.stream().mapToLong(ShardReceipt::rows).sum();
        TokenManifest manifest = new TokenManifest(
                output.plan().sha256(),
                tokenizerSha256(),
                recipe.image().size(),
                grid(recipe),
                recipe.tokenizer().codes(),
                TokenManifest.NO_CROPS,
                List.of(),
                rows,
                rows,
                0,
                shards,
                tokenized.statistics());
        ReplacedShards.requireNone(context.session(), output, shards);
        Manifest.publish(output, manifest);
        Map<String, Double> metrics = new TreeMap<>();
        metrics.put("codes_used", (double) tokenized.statistics().codesUsed());
        metrics.put("token_entropy", tokenized.statistics().tokenEntropy());
        Map<String, Long> counts =
                Map.of("images", rows, "rows", rows, "shards", (long) shards.size(), "bad", 0L, "oriented", 0L);
        return Outcome.of(counts, metrics, List.of()).withRate("images_per_second", rows);
    }
}
