package io.github.rarspark.tokenize;

import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.job.JobRunner;
import io.github.rarspark.common.job.Outcome;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.spark.Progress;
import io.github.rarspark.common.spark.SparkSessions;
import io.github.rarspark.common.spark.UnitTasks;
import io.github.rarspark.common.tokens.TokenManifest;
import io.github.rarspark.common.tokens.TokenShards;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.kernel.error.DataException;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Checks a token output: its manifest, the checksum of each shard and every row. Changes nothing. */
final class TokenCheck {
    private static final String COMMAND = "tokenize --check";

    private TokenCheck() {}

    /**
     * Checks the output of the recipe.
     *
     * @throws DataException naming the first fault
     */
    static JobResult run(JobContext context) throws IOException {
        Recipe recipe = context.recipe();
        recipe.requireGiven(COMMAND, "tokenize.output");
        return JobRunner.check(
                COMMAND,
                recipe.resultSettings("image", "tokenizer", "tokenize", "compute"),
                () -> check(context, context.storage().qualify(recipe.tokenize().output())));
    }

    private static Outcome check(JobContext context, String directory) throws IOException {
        TokenShards tokens = TokenShards.open(context.storage(), directory);
        tokens.checkGenerations();
        TokenManifest manifest = tokens.manifest();
        long[] rows = new long[1];
        List<Integer> blocks = IntStream.range(0, tokens.blocks()).boxed().toList();
        SparkSessions.describe(context.session(), "check " + blocks.size() + " token shards");
        try (Progress progress = context.progress("check", "shards", blocks.size())) {
            UnitTasks.run(context.session(), blocks, block -> tokens.read(block).rows(), read -> {
                rows[0] += read;
                progress.step(1);
            });
        }
        if (rows[0] != manifest.rows()) {
            throw new DataException("The shards of " + directory + " have " + rows[0] + " rows, the manifest says "
                    + manifest.rows() + "; tokenize again into another output");
        }
        return Outcome.of(
                Map.of("rows", rows[0], "shards", (long) blocks.size(), "bad", manifest.quarantined()),
                Map.of(),
                List.of());
    }
}
