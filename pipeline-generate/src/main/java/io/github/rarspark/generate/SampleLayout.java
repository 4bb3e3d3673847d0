package io.github.rarspark.generate;

import io.github.rarspark.common.run.Plan;
import io.github.rarspark.common.samples.SampleShard;
import io.github.rarspark.common.spark.JobDevice;
import io.github.rarspark.common.spark.StageResources;
import java.io.Serializable;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.spark.sql.SparkSession;

/**
 * How the images of a run are split: {@code shardImages} consecutive ones make a shard.
 *
 * @param count number of images
 * @param shardImages images per shard
 * @param batch images that are sampled together
 */
record SampleLayout(int count, int shardImages, int batch) implements Serializable {
    private static final String SHARD_IMAGES = "shard_images";
    private static final String BATCH = "batch";

    /**
     * The layout of a run.
     *
     * @param asked images per shard that the recipe asks for; 0 for as many as {@link ShardSize} chooses
     * @param flopPerImage floating-point operations
     * @param threads of a task
     * @param batch images that are computed together
     * @param device what computes them
     */
    static SampleLayout of(
            SparkSession session,
            int images,
            int asked,
            double flopPerImage,
            int threads,
            int batch,
            JobDevice device) {
        if (asked > 0) {
            return new SampleLayout(images, asked, batch);
        }
        int slots = StageResources.slots(session, device);
        int cores = device.isGpu()
                ? ShardSize.CORES_OF_GPU
                : Math.max(threads, StageResources.cores(session.sparkContext().getConf(), device));
        return new SampleLayout(images, ShardSize.images(images, flopPerImage, cores, slots, batch), batch);
    }

    /** This layout with the units of an earlier attempt's plan. */
    SampleLayout with(Plan plan) {
        int plannedBatch = plan.units().containsKey(BATCH) ? plan.unit(BATCH) : batch;
        return new SampleLayout(count, plan.unit(SHARD_IMAGES), plannedBatch);
    }

    /** The layout as units of a plan. The batch is one on GPUs alone: there, an image depends on it up to rounding. */
    Map<String, String> units(JobDevice device) {
        return device.isGpu()
                ? Map.of(SHARD_IMAGES, Integer.toString(shardImages), BATCH, Integer.toString(batch))
                : Map.of(SHARD_IMAGES, Integer.toString(shardImages));
    }

    int shards() {
        return (count - 1) / shardImages + 1;
    }

    String shardName(int shard) {
        return SampleShard.name(shard, shards());
    }

    List<String> shardNames() {
        return IntStream.range(0, shards()).mapToObj(this::shardName).toList();
    }

    /** The index of a shard's first image. */
    int first(int shard) {
        return Math.multiplyExact(shard, shardImages);
    }

    /** The number of images in a shard. */
    int images(int shard) {
        return Math.min(count - first(shard), shardImages);
    }
}
