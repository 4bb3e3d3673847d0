package io.github.rarspark.generate;

import io.github.rarspark.common.run.Plan;
import io.github.rarspark.common.samples.SampleShard;
import io.github.rarspark.conf.GenerateSettings;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.kernel.rar.RarSampler.Request;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * The images of a run and how they are split: classes are assigned round-robin, {@code batch} consecutive images are
 * computed together, and {@code shardImages} of them, a multiple of the batch, make a shard. So the micro-batch of an
 * image depends only on its index, not on the shards.
 *
 * @param count number of images
 * @param classes the classes; image i gets the class at index i modulo their number; empty if each image has its own
 * @param batch images per micro-batch
 * @param shardImages images per shard
 */
record SampleLayout(int count, List<Integer> classes, int batch, int shardImages) implements Serializable {
    private static final String BATCH = "batch";
    private static final String SHARD_IMAGES = "shard_images";

    SampleLayout {
        classes = List.copyOf(classes);
    }

    /** The layout of a recipe; shards are rounded up to whole micro-batches. */
    static SampleLayout of(Recipe recipe) {
        GenerateSettings generate = recipe.generate();
        return of(generate.count(), classes(recipe), generate.batch(), generate.shardImages());
    }

    /** A layout whose shards are rounded up to whole micro-batches. */
    static SampleLayout of(int count, List<Integer> classes, int mostOfBatch, int shardImages) {
        int batch = Math.min(mostOfBatch, count);
        int batches = (shardImages + batch - 1) / batch;
        return new SampleLayout(count, classes, batch, Math.multiplyExact(batches, batch));
    }

    /** This layout with the units of an earlier attempt's plan. */
    SampleLayout with(Plan plan) {
        return new SampleLayout(count, classes, plan.unit(BATCH), plan.unit(SHARD_IMAGES));
    }

    private static List<Integer> classes(Recipe recipe) {
        List<Integer> asked = recipe.generate().classes();
        return asked.isEmpty()
                ? IntStream.range(0, recipe.model().classes()).boxed().toList()
                : asked;
    }

    /** The layout as units of a plan. */
    Map<String, String> units() {
        Map<String, String> units = new LinkedHashMap<>();
        units.put(BATCH, Integer.toString(batch));
        units.put(SHARD_IMAGES, Integer.toString(shardImages));
        return units;
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

    /** The micro-batches of a shard, in the order of their images. */
    List<Request[]> batches(int shard) {
        int end = (int) Math.min(count, (shard + 1L) * shardImages);
        List<Request[]> batches = new ArrayList<>();
        for (int start = shard * shardImages; start < end; start += batch) {
            batches.add(IntStream.range(start, Math.min(end, start + batch))
                    .mapToObj(this::request)
                    .toArray(Request[]::new));
        }
        return batches;
    }

    private Request request(int index) {
        return new Request(classes.get(index % classes.size()), index);
    }
}
