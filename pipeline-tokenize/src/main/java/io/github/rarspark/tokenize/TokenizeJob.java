package io.github.rarspark.tokenize;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.images.ImageSource;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.run.Manifest;
import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.run.PreFlight;
import io.github.rarspark.common.run.RunOutput;
import io.github.rarspark.common.shard.ShardLedger;
import io.github.rarspark.common.shard.ShardReceipt;
import io.github.rarspark.common.spark.Progress;
import io.github.rarspark.common.spark.SparkSessions;
import io.github.rarspark.common.spark.UnitTasks;
import io.github.rarspark.common.storage.Json;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.tokens.TokenFormat;
import io.github.rarspark.common.tokens.TokenLines;
import io.github.rarspark.common.tokens.TokenManifest;
import io.github.rarspark.common.tokens.TokenShards;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.TokenizeSettings;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.concurrent.ConcurrentSkipListMap;
import org.apache.spark.sql.SparkSession;

/** The job {@code tokenize}: images to token shards, a manifest and the list of images that could not be used. */
public final class TokenizeJob {
    private static final String QUARANTINE = "quarantine.jsonl";

    private final SparkSession session;
    private final Recipe recipe;
    private final TokenizeSettings settings;
    private final boolean quiet;
    private final Storage storage;
    private final Instant started = Instant.now();

    private TokenizeJob(SparkSession session, Recipe recipe, boolean quiet) {
        this.session = session;
        this.recipe = recipe;
        this.settings = recipe.tokenize();
        this.quiet = quiet;
        this.storage = new Storage(SparkSessions.context(session).hadoopConfiguration());
    }

    /**
     * Runs the job, or with {@code tokenize.check} only checks the output that is there.
     *
     * @param quiet whether to show no progress
     * @return the result; the earlier one if the output was finished before
     * @throws JobException with the code that the process ends with
     * @throws io.github.rarspark.kernel.error.DataException if the tokenizer does not fit the recipe or the data is bad
     */
    public static JobResult run(SparkSession session, Recipe recipe, boolean quiet) throws IOException {
        if (recipe.tokenize().check()) {
            return TokenCheck.run(session, recipe, quiet);
        }
        return new TokenizeJob(session, recipe, quiet).run();
    }

    private JobResult run() throws IOException {
        recipe.requireGiven("tokenize", "tokenize.input", "tokenize.tokenizer", "tokenize.output");
        PreFlight.requireInput(storage, "--input", settings.input());
        PreFlight.requireInput(storage, "--tokenizer", settings.tokenizer());
        PreFlight.requireApart(storage, "--input", settings.input(), settings.output());
        TokenizerFile tokenizer = TokenizerFile.inspect(storage, settings.tokenizer());
        tokenizer.requireFits(recipe);
        ImageSource images = ImageSource.open(storage, "--input", settings.input());
        TokenizePlan plan = TokenizePlan.of(recipe, images, tokenizer);
        JobResult result = new RunOutput(storage, settings.output()).run(plan.plan(), started, output -> {
            TokenizePlan followed = TokenizePlan.of(output.plan(), images);
            SortedMap<String, TokenizedShard> shards = write(output, followed, images, tokenizer);
            return commit(output, images, tokenizer, shards.values());
        });
        if (settings.jsonl() && !storage.exists(output(TokenFormat.LINES_NAME))) {
            writeLines();
        }
        return result;
    }

    /** Does what is missing, and returns all shards by name. */
    private SortedMap<String, TokenizedShard> write(
            OutputClaim output, TokenizePlan plan, ImageSource images, TokenizerFile tokenizer) throws IOException {
        ShardLedger ledger = ShardLedger.open(output, plan.shardNames());
        SortedMap<String, TokenizedShard> shards = new ConcurrentSkipListMap<>();
        for (ShardReceipt receipt : ledger.finished()) {
            shards.put(receipt.name(), TokenizedShard.finished(storage, output.path(receipt.name()), receipt));
        }
        List<TokenizePlan.Shard> missing = plan.shards(ledger.missing());
        TokenizeTask task = new TokenizeTask(
                storage,
                storage.qualify(output.directory()),
                output.plan().sha256(),
                tokenizer,
                recipe.image(),
                images.classNames().size(),
                plan.batch(),
                plan.threads());
        SparkSessions.describe(session, plan.sentence(missing));
        try (Progress progress = Progress.start("tokenize", "images", plan.images(), quiet)) {
            shards.values().forEach(shard -> progress.step(images(shard)));
            requireFewBad(shards.values());
            UnitTasks.run(session, missing, task, shard -> {
                shards.put(shard.receipt().name(), shard);
                progress.step(images(shard));
                requireFewBad(shards.values());
            });
        } catch (Exception e) {
            abandon(output, plan.sentence(missing), shards.values(), e);
            throw e;
        }
        shards.values().forEach(shard -> ledger.add(shard.receipt()));
        ledger.complete();
        return shards;
    }

    /** Ends the tasks that still run and tells the user which images are bad; the shards stay for the next attempt. */
    private void abandon(OutputClaim output, String jobGroup, Collection<TokenizedShard> shards, Exception failure) {
        try {
            session.sparkContext().cancelJobGroup(jobGroup);
            publishQuarantine(output, shards);
        } catch (IOException | RuntimeException e) {
            failure.addSuppressed(e);
        }
    }

    /** Publishes what the shards hold: the list of bad images, the lines if wanted, the manifest, the result. */
    private JobResult commit(
            OutputClaim output, ImageSource images, TokenizerFile tokenizer, Collection<TokenizedShard> shards)
            throws IOException {
        publishQuarantine(output, shards);
        long rows = shards.stream().mapToLong(shard -> shard.receipt().rows()).sum();
        long bad = bad(shards);
        TokenManifest manifest = new TokenManifest(
                output.plan().sha256(),
                tokenizer.file().sha256(),
                recipe.image().size(),
                recipe.image().size() / tokenizer.config().downsampling(),
                tokenizer.config().codes(),
                recipe.get("image.crops"),
                images.classNames(),
                images.images() - bad,
                rows,
                bad,
                shards.stream().map(TokenizedShard::receipt).toList());
        Manifest.publish(output, manifest);
        if (settings.jsonl()) {
            writeLines();
        }
        double seconds = Duration.between(started, Instant.now()).toMillis() / 1e3;
        return JobResult.done(
                output.plan(),
                started,
                seconds,
                Map.of("images", images.images() - bad, "rows", rows, "shards", (long) shards.size(), "bad", bad),
                Map.of("images_per_second", images.images() / seconds),
                bad == 0 ? List.of() : List.of(bad + " images could not be used; " + QUARANTINE + " lists them"));
    }

    private void writeLines() throws IOException {
        String path = output(TokenFormat.LINES_NAME);
        TokenLines.write(storage, path, TokenShards.open(storage, settings.output()));
    }

    private void publishQuarantine(OutputClaim output, Collection<TokenizedShard> shards) throws IOException {
        StringBuilder lines = new StringBuilder();
        for (TokenizedShard shard : shards) {
            shard.bad().forEach(image -> lines.append(Json.line(image)).append('\n'));
        }
        byte[] content = lines.toString().getBytes(StandardCharsets.UTF_8);
        output.publish(QUARANTINE, out -> out.write(content));
    }

    private void requireFewBad(Collection<TokenizedShard> shards) {
        long bad = bad(shards);
        if (bad > settings.maxBad()) {
            BadImage first = shards.stream()
                    .flatMap(shard -> shard.bad().stream())
                    .findFirst()
                    .orElseThrow();
            throw new JobException(
                    ExitCode.DATA,
                    "Cannot tokenize " + settings.input() + ": " + bad + " images cannot be used, more than --max-bad "
                            + settings.maxBad() + "; " + output(QUARANTINE) + " lists those found so far, the first is "
                            + first.path() + " (" + first.reason() + ")");
        }
    }

    private static long bad(Collection<TokenizedShard> shards) {
        return shards.stream().mapToLong(shard -> shard.bad().size()).sum();
    }

    private long images(TokenizedShard shard) {
        return shard.receipt().rows() / TokenizeTask.rowsPerImage(recipe.image().crops())
                + shard.bad().size();
    }

    private String output(String name) {
        return Storage.child(settings.output(), name);
    }
}
