package io.github.rarspark.tokenize;

import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.run.Version;
import io.github.rarspark.common.spark.Progress;
import io.github.rarspark.common.spark.SparkSessions;
import io.github.rarspark.common.spark.UnitTasks;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.tokens.TokenManifest;
import io.github.rarspark.common.tokens.TokenShards;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.kernel.error.DataException;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.apache.spark.sql.SparkSession;

/** Checks a token output: its manifest, the checksum of each shard and every row. Changes nothing. */
final class TokenCheck {
    private TokenCheck() {}

    /**
     * Checks the output of the recipe.
     *
     * @throws DataException naming the first thing that is wrong
     */
    static JobResult run(SparkSession session, Recipe recipe, boolean quiet) throws IOException {
        Instant started = Instant.now();
        recipe.requireGiven("tokenize --check", "tokenize.output");
        Storage storage = new Storage(SparkSessions.context(session).hadoopConfiguration());
        String directory = storage.qualify(recipe.tokenize().output());
        TokenShards tokens = TokenShards.open(storage, directory);
        TokenManifest manifest = tokens.manifest();
        long[] rows = new long[1];
        List<Integer> blocks = IntStream.range(0, tokens.blocks()).boxed().toList();
        SparkSessions.describe(session, "check " + blocks.size() + " token shards");
        try (Progress progress = Progress.start("check", "shards", blocks.size(), quiet)) {
            UnitTasks.run(session, blocks, block -> tokens.read(block).rows(), read -> {
                rows[0] += read;
                progress.step(1);
            });
        }
        if (rows[0] != manifest.rows()) {
            throw new DataException("The shards of " + directory + " have " + rows[0] + " rows, the manifest says "
                    + manifest.rows() + "; tokenize again into another output");
        }
        return new JobResult(
                JobResult.Status.DONE,
                "tokenize --check",
                recipe.sha256("image", "tokenizer", "tokenize"),
                started,
                Duration.between(started, Instant.now()).toMillis() / 1e3,
                new TreeMap<>(Map.of("rows", rows[0], "shards", (long) blocks.size(), "bad", manifest.quarantined())),
                new TreeMap<>(),
                List.of(),
                false,
                Version.CURRENT);
    }
}
