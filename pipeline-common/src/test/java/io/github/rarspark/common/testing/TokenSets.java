package io.github.rarspark.common.testing;

import io.github.rarspark.common.run.Growth;
import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.run.Plan;
import io.github.rarspark.common.run.Published;
import io.github.rarspark.common.shard.ShardReceipt;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.tokens.TokenFormat;
import io.github.rarspark.common.tokens.TokenGenerations;
import io.github.rarspark.common.tokens.TokenManifest;
import io.github.rarspark.common.tokens.TokenRow;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.LongFunction;

/** Outputs of a tokenization that did not happen. */
public final class TokenSets {
    private TokenSets() {}

    /**
     * Writes shards and their manifest.
     *
     * @param grid the side of the token grid
     * @param codes tokens are less than this
     * @param row the row of a number, which is counted through all shards
     * @param rowsOfShards how many rows each shard has
     */
    public static void write(
            Storage storage,
            String output,
            int grid,
            int codes,
            List<String> classNames,
            LongFunction<TokenRow> row,
            int... rowsOfShards)
            throws IOException {
        Plan plan = Plan.of("tokenize", "recipe", Map.of(), Map.of());
        try (OutputClaim claim = Claims.claim(storage, output, plan)) {
            TokenGenerations.publish(claim, 0, manifest(claim, 0, grid, codes, classNames, row, rowsOfShards));
        }
    }

    /**
     * Adds a generation to what {@link #write} wrote.
     *
     * @param row the row of a number, which is counted through the shards of this generation
     */
    public static void add(
            Storage storage,
            String output,
            int grid,
            int codes,
            List<String> classNames,
            LongFunction<TokenRow> row,
            int... rowsOfShards)
            throws IOException {
        try (OutputClaim claim = claimNext(storage, output)) {
            int generation = claim.plan().unit("generation");
            TokenGenerations.keepFirst(claim);
            TokenGenerations.publish(
                    claim, generation, manifest(claim, generation, grid, codes, classNames, row, rowsOfShards));
        }
    }

    /** Begins a generation behind those of {@code output}; the caller closes the claim. */
    public static OutputClaim claimNext(Storage storage, String output) throws IOException {
        Published before = Published.of(storage, output);
        String generation = Integer.toString(before.generations());
        Plan plan = Plan.of(
                "tokenize",
                "recipe",
                Map.of(Plan.FILES, "files " + generation, Published.INPUT, before.sha256()),
                Map.of("generation", generation));
        return Claims.output(storage, output).claim(plan, Growth.ADDS).orElseThrow();
    }

    private static TokenManifest manifest(
            OutputClaim claim,
            int generation,
            int grid,
            int codes,
            List<String> classNames,
            LongFunction<TokenRow> row,
            int... rowsOfShards)
            throws IOException {
        String planSha256 = claim.plan().sha256();
        List<ShardReceipt> shards = new ArrayList<>();
        long from = 0;
        for (int rows : rowsOfShards) {
            long first = from;
            String path = claim.path(TokenFormat.shardName(generation, shards.size()));
            shards.add(TokenFormat.ROWS.write(claim.storage(), path, planSha256, sink -> {
                for (long i = first; i < first + rows; i++) {
                    sink.accept(row.apply(i));
                }
            }));
            from += rows;
        }
        return new TokenManifest(
                planSha256, "tokenizer", 2 * grid, grid, codes, "center", classNames, from, from, 0, shards, null);
    }
}
