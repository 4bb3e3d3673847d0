package io.github.rarspark.fid;

import io.github.rarspark.common.images.ImageFindings;
import io.github.rarspark.common.images.ImageSource;
import io.github.rarspark.common.images.ImageUnit;
import io.github.rarspark.common.images.Quarantine;
import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.run.Version;
import io.github.rarspark.common.shard.ShardLedger;
import io.github.rarspark.common.shard.ShardReceipt;
import io.github.rarspark.common.spark.Progress;
import io.github.rarspark.common.spark.SparkSessions;
import io.github.rarspark.common.spark.UnitTasks;
import io.github.rarspark.common.storage.Sha256;
import io.github.rarspark.common.storage.Storage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;

/**
 * Features by content: a folder of shards per set and network, each computed once. Driver only.
 *
 * @param context of the job
 * @param directory of all folders
 * @param network that gives the features
 * @param batch images that go through the network together
 * @param threads of libtorch in a task
 */
record FeatureStore(JobContext context, String directory, FeatureNetwork network, int batch, int threads) {
    /** Enough to be worth the start of a task. */
    private static final int LEAST_IMAGES = 500;

    /** More parts would only be smaller objects. */
    private static final int MOST_PARTS = 2000;

    /** More than a part whose images are not counted has; the indices of its images only have to be their own. */
    private static final long MOST_IMAGES = 1L << 32;

    private static final int NAME_LENGTH = 16;

    /**
     * The features of a set.
     *
     * @param shards their files, in the order of the images
     * @param images the number of usable images of the set
     * @param known how many of them were already computed
     */
    record Features(List<String> shards, long images, long known) {}

    /**
     * Computes missing features.
     *
     * @param what the set's name in progress and messages
     * @param quarantine takes the images that cannot be used
     * @throws io.github.rarspark.common.JobException if there are too many of these
     */
    Features compute(String what, ImageSource set, Quarantine quarantine) throws IOException {
        String key = key(set);
        String folder = Storage.child(directory, key.substring(0, NAME_LENGTH));
        List<FeatureTask.Unit> units = units(set);
        List<String> names = units.stream().map(FeatureTask.Unit::shard).toList();
        ShardLedger ledger = ShardLedger.open(context.session(), context.storage(), folder, key, names);
        long known = 0;
        for (ShardReceipt shard : ledger.finished()) {
            String path = Storage.child(folder, shard.name());
            quarantine.add(what, shard.name(), ImageFindings.of(ledger.footer(shard.name()), path));
            known += shard.rows();
        }
        quarantine.requireFew();
        Set<String> missing = ledger.missing();
        List<FeatureTask.Unit> todo =
                units.stream().filter(unit -> missing.contains(unit.shard())).toList();
        OptionalLong images = images(todo);
        if (!todo.isEmpty()) {
            SparkSessions.describe(
                    context.session(),
                    "features of " + (images.isPresent() ? images.getAsLong() + " " : "") + what + " in " + todo.size()
                            + " parts");
            FeatureTask task =
                    new FeatureTask(context.storage(), network, folder, key, batch, threads, context.device());
            try (Progress progress = images.isPresent()
                    ? context.progress(what, "images", images.getAsLong())
                    : context.progress(what, "parts", todo.size())) {
                UnitTasks.run(context.session(), context.device(), todo, task, done -> {
                    ledger.add(done.shard());
                    quarantine.add(what, done.shard().name(), done.findings());
                    progress.step(
                            images.isPresent()
                                    ? done.shard().rows()
                                            + done.findings().bad().size()
                                    : 1);
                    quarantine.requireFew();
                });
            }
        }
        List<ShardReceipt> shards = ledger.complete();
        return new Features(
                shards.stream()
                        .map(shard -> Storage.child(folder, shard.name()))
                        .toList(),
                shards.stream().mapToLong(ShardReceipt::rows).sum(),
                known);
    }

    /** Equal keys promise equal bytes, on one type of machine; another release may compute differently. */
    private String key(ImageSource set) {
        List<String> identity = new ArrayList<>(List.of(
                Version.CURRENT,
                set.sha256(),
                network.kind().name(),
                network.weights().sha256(),
                Integer.toString(network.side()),
                Integer.toString(batch),
                Integer.toString(threads)));
        if (context.device().isGpu()) {
            identity.add(context.device().label());
            identity.add("tf32=" + context.device().tf32());
        }
        return Sha256.of(String.join("\n", identity).getBytes(StandardCharsets.UTF_8));
    }

    private static List<FeatureTask.Unit> units(ImageSource set) {
        List<ImageUnit> parts = set.units(imagesPerPart(set.images().orElse(LEAST_IMAGES)));
        List<FeatureTask.Unit> units = new ArrayList<>();
        long first = 0;
        for (ImageUnit part : parts) {
            units.add(new FeatureTask.Unit(FeatureShard.name(units.size(), parts.size()), first, part));
            first += part.images().orElse(MOST_IMAGES);
        }
        return units;
    }

    /** How many images the units have; empty if that is not known of all. */
    private static OptionalLong images(List<FeatureTask.Unit> units) {
        long images = 0;
        for (FeatureTask.Unit unit : units) {
            if (unit.images().images().isEmpty()) {
                return OptionalLong.empty();
            }
            images += unit.images().images().getAsLong();
        }
        return OptionalLong.of(images);
    }

    static int imagesPerPart(long images) {
        return Math.toIntExact(Math.max(LEAST_IMAGES, (images + MOST_PARTS - 1) / MOST_PARTS));
    }
}
