package io.github.rarspark.tokenize;

import io.github.rarspark.common.images.Quarantine;
import io.github.rarspark.common.shard.ShardLedger;
import io.github.rarspark.common.shard.ShardReceipt;
import io.github.rarspark.common.tokens.TokenCounter;
import io.github.rarspark.common.tokens.TokenStatistics;
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
