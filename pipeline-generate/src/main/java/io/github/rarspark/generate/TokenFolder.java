package io.github.rarspark.generate;

import io.github.rarspark.common.run.Manifest;
import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.shard.ShardLedger;
import io.github.rarspark.common.shard.ShardReceipt;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.tokens.TokenFormat;
import io.github.rarspark.common.tokens.TokenManifest;
import io.github.rarspark.common.tokens.TokenRow;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.kernel.rar.RarSampler.Request;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.spark.sql.SparkSession;

/** The tokens of generated images, in a folder of the output with the layout of an output of tokenize. */
final class TokenFolder {
    /** The folder's name. */
    static final String NAME = "tokens";

    private TokenFolder() {}

    /**
     * Writes the tokens of a shard; called before the shard itself is finished, so that every finished shard has
     * tokens.
     */
    static void write(
            Storage storage,
            String output,
            String planSha256,
            int shard,
            List<Request[]> batches,
            List<long[][]> tokens)
            throws IOException {
        String folder = Storage.child(output, NAME);
        String path = Storage.child(folder, TokenFormat.shardName(0, shard));
        TokenFormat.ROWS.write(storage, path, planSha256, sink -> {
            for (int batch = 0; batch < batches.size(); batch++) {
                Request[] requests = batches.get(batch);
                for (int i = 0; i < requests.length; i++) {
                    String id = Long.toString(requests[i].index());
                    sink.accept(new TokenRow(id, requests[i].label(), 0, tokens.get(batch)[i]));
                }
            }
        });
    }

    /** The numbers of the shards whose tokens are missing or damaged. */
    static Set<Integer> missing(SparkSession session, OutputClaim claim, int shards) throws IOException {
        Set<String> missing = open(session, claim, shards).missing();
        return IntStream.range(0, shards)
                .filter(shard -> missing.contains(TokenFormat.shardName(0, shard)))
                .boxed()
                .collect(Collectors.toSet());
    }

    private static ShardLedger open(SparkSession session, OutputClaim claim, int shards) throws IOException {
        List<String> names = IntStream.range(0, shards)
                .mapToObj(shard -> TokenFormat.shardName(0, shard))
                .toList();
        return ShardLedger.open(
                session, claim.storage(), claim.path(NAME), claim.plan().sha256(), names);
    }

    /** Publishes the manifest, when all shards are there. */
    static void publish(
            SparkSession session,
            OutputClaim claim,
            int shards,
            Recipe recipe,
            ClassNames names,
            String tokenizerSha256)
            throws IOException {
        List<ShardReceipt> receipts = open(session, claim, shards).complete();
        long rows = receipts.stream().mapToLong(ShardReceipt::rows).sum();
        Manifest.publishFolder(
                claim,
                NAME,
                new TokenManifest(
                        claim.plan().sha256(),
                        tokenizerSha256,
                        recipe.image().size(),
                        recipe.image().size() / recipe.tokenizer().downsampling(),
                        recipe.model().codes(),
                        TokenManifest.NO_CROPS,
                        names.names(),
                        rows,
                        rows,
                        0,
                        receipts,
                        null));
    }
}
