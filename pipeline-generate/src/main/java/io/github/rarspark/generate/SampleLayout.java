package io.github.rarspark.generate;

import io.github.rarspark.common.run.Plan;
import io.github.rarspark.common.samples.SampleShard;
import java.io.Serializable;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * How the images of a run are split: {@code shardImages} consecutive ones make a shard.
 *
 * @param count number of images
 * @param shardImages images per shard
 */
record SampleLayout(int count, int shardImages) implements Serializable {
    private static final String SHARD_IMAGES = "shard_images";

    /** This layout with the units of an earlier attempt's plan. */
    SampleLayout with(Plan plan) {
        return new SampleLayout(count, plan.unit(SHARD_IMAGES));
    }

    /** The layout as units of a plan. */
    Map<String, String> units() {
        return Map.of(SHARD_IMAGES, Integer.toString(shardImages));
    }

    int shards() {
        return (count + shardImages - 1) / shardImages;
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
