package io.github.rarspark.generate;

import io.github.rarspark.common.run.Plan;
import io.github.rarspark.common.samples.SampleShard;
import io.github.rarspark.conf.GenerateSettings;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.kernel.rar.RarSampler.Request;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * The images of a run and how they are split: classes are assigned round-robin, and {@code shardImages} consecutive images
 * make a shard.
 *
 * @param count number of images
 * @param classes the classes; image i gets the class at index i modulo their number; empty if each image has its own
 * @param shardImages images per shard
 */
record SampleLayout(int count, List<Integer> classes, int shardImages) implements Serializable {
    private static final String SHARD_IMAGES = "shard_images";

    SampleLayout {
        classes = List.copyOf(classes);
    }

    /** The layout of a recipe. */
    static SampleLayout of(Recipe recipe) {
        GenerateSettings generate = recipe.generate();
        return new SampleLayout(generate.count(), classes(recipe), generate.shardImages());
    }

    /** This layout with the units of an earlier attempt's plan. */
    SampleLayout with(Plan plan) {
        return new SampleLayout(count, classes, plan.unit(SHARD_IMAGES));
    }

    private static List<Integer> classes(Recipe recipe) {
        List<Integer> asked = recipe.generate().classes();
        return asked.isEmpty()
                ? IntStream.range(0, recipe.model().classes()).boxed().toList()
                : asked;
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

    /** The images of a shard in their order, {@code batch} at a time. */
    List<Request[]> batches(int shard, int batch) {
        int end = first(shard) + images(shard);
        List<Request[]> batches = new ArrayList<>();
        for (int start = first(shard); start < end; start += batch) {
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
