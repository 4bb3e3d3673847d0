package io.github.rarspark.common.testing;

import io.github.rarspark.common.run.Manifest;
import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.run.Plan;
import io.github.rarspark.common.shard.ShardReceipt;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.tokens.TokenFormat;
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
            List<ShardReceipt> shards = new ArrayList<>();
            long from = 0;
            for (int rows : rowsOfShards) {
                long first = from;
                String path = claim.path(TokenFormat.shardName(0, shards.size()));
                shards.add(TokenFormat.ROWS.write(storage, path, plan.sha256(), sink -> {
                    for (long i = first; i < first + rows; i++) {
                        sink.accept(row.apply(i));
                    }
                }));
                from += rows;
            }
            Manifest.publish(
                    claim,
                    new TokenManifest(
                            plan.sha256(),
                            "tokenizer",
                            2 * grid,
                            grid,
                            codes,
                            "center",
                            classNames,
                            from,
                            from,
                            0,
                            shards));
        }
    }
}
