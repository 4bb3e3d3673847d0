package io.github.rarspark.tokenize;

import io.github.rarspark.common.images.ImageFindings;
import io.github.rarspark.common.images.Quarantine;
import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.shard.ShardLedger;
import io.github.rarspark.common.shard.ShardReceipt;
import io.github.rarspark.common.spark.SparkSessions;
import io.github.rarspark.common.spark.UnitTasks;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.tokens.TokenCounter;
import io.github.rarspark.common.tokens.TokenStatistics;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/** The shards of a run, as they are finished, by this attempt or an earlier one. Driver only; not thread-safe. */
final class TokenizedShards {
    private final ShardLedger ledger;
    private final Quarantine quarantine;
    private final SortedMap<String, TokenCounter> counts = new TreeMap<>();
    private StageSeconds stages = StageSeconds.NONE;

    TokenizedShards(ShardLedger ledger, Quarantine quarantine) {
        this.ledger = ledger;
        this.quarantine = quarantine;
    }

    /**
     * What an earlier attempt has finished in {@code directory}; its rows are counted in tasks.
     *
     * @param codes how many codes a token can be
     */
    static List<TokenizedShard> earlier(JobContext context, ShardLedger ledger, String directory, int codes) {
        List<ShardReceipt> finished = ledger.finished();
        Storage storage = context.storage();
        SparkSessions.describe(context.session(), "count the rows of " + finished.size() + " shards in " + directory);
        List<TokenCounter> counts = UnitTasks.map(
                context.session(),
                finished,
                receipt -> TokenCounter.of(storage, Storage.child(directory, receipt.name()), codes));
        List<TokenizedShard> shards = new ArrayList<>();
        for (int i = 0; i < finished.size(); i++) {
            String name = finished.get(i).name();
            ImageFindings findings = ImageFindings.of(ledger.footer(name), Storage.child(directory, name));
            shards.add(new TokenizedShard(finished.get(i), findings, counts.get(i), StageSeconds.NONE));
        }
        return shards;
    }

    /**
     * Adds a shard.
     *
     * @throws io.github.rarspark.common.JobException if too many images cannot be used
     */
    void add(TokenizedShard shard) {
        String name = shard.receipt().name();
        ledger.add(shard.receipt());
        counts.put(name, shard.counts());
        stages = stages.plus(shard.stages());
        quarantine.add(name, shard.findings());
        quarantine.requireFew();
    }

    Quarantine quarantine() {
        return quarantine;
    }

    /**
     * All shards of the plan, by name.
     *
     * @throws IllegalStateException if one is missing
     */
    List<ShardReceipt> receipts() {
        return ledger.complete();
    }

    /** What the rows are like. */
    TokenStatistics statistics() {
        return TokenStatistics.of(counts);
    }

    /** Where the time of this attempt's tasks went. */
    StageSeconds stages() {
        return stages;
    }
}
