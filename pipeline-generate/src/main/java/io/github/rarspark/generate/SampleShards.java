package io.github.rarspark.generate;

import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.run.Manifest;
import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.samples.SamplesManifest;
import io.github.rarspark.common.shard.ReplacedShards;
import io.github.rarspark.common.shard.ShardLedger;
import io.github.rarspark.common.shard.ShardReceipt;
import io.github.rarspark.common.spark.JobDevice;
import io.github.rarspark.common.spark.Progress;
import io.github.rarspark.common.spark.SparkSessions;
import io.github.rarspark.common.spark.UnitTasks;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.storage.Stored;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.apache.spark.sql.SparkSession;

/**
 * All image shards of an output. Driver only.
 *
 * @param layout the images of each shard
 * @param receipts their receipts, by name
 * @param resumed images in shards of earlier attempts
 */
record SampleShards(SampleLayout layout, List<ShardReceipt> receipts, long resumed) {
    /**
     * Writes the missing shards.
     *
     * @param command the command's name in progress and Spark's UI
     * @param again the numbers of shards to write even if they are finished
     * @param device what the task computes on
     * @param task writes the shard with a given number
     */
    static SampleShards make(
            JobContext context,
            OutputClaim claim,
            SampleLayout layout,
            String command,
            Set<Integer> again,
            JobDevice device,
            UnitTasks.Work<Integer, ShardReceipt> task)
            throws IOException {
        ShardLedger ledger = ShardLedger.open(context.session(), claim, layout.shardNames());
        Set<String> missing = ledger.missing();
        List<Integer> shards = IntStream.range(0, layout.shards())
                .filter(shard -> missing.contains(layout.shardName(shard)) || again.contains(shard))
                .boxed()
                .toList();
        long resumed =
                layout.count() - shards.stream().mapToLong(layout::images).sum();
        SparkSessions.describe(context.session(), command + " " + shards.size() + " of " + layout.shards() + " shards");
        try (Progress progress = context.progress(command, "images", layout.count() - resumed)) {
            UnitTasks.run(context.session(), device, shards, task, receipt -> {
                ledger.add(receipt);
                progress.step(receipt.rows());
            });
        }
        return new SampleShards(layout, ledger.complete(), resumed);
    }

    /**
     * Publishes {@code samples.npz}, the grid and the manifest.
     *
     * @param session checks the shards again where they may have been replaced
     * @param samples the images of these shards
     * @param classes for the manifest
     * @param classCounts for the manifest
     * @param seed of the run
     */
    void publish(SparkSession session, SampleSet samples, List<Integer> classes, List<Integer> classCounts, long seed)
            throws IOException {
        OutputClaim claim = samples.claim();
        SortedMap<String, String> files = new TreeMap<>();
        for (Stored file : samples.write()) {
            files.put(Storage.name(file.path()), file.sha256());
        }
        ReplacedShards.requireNone(session, claim, receipts);
        Manifest.publish(
                claim,
                new SamplesManifest(
                        SamplesManifest.KIND,
                        claim.plan().sha256(),
                        samples.imageSize(),
                        layout.count(),
                        classes,
                        classCounts,
                        seed,
                        claim.plan().inputs(),
                        receipts,
                        files));
    }

    /** The number of images that this attempt wrote. */
    long made() {
        return layout.count() - resumed;
    }
}
