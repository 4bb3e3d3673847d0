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
 * Which images a run makes and how they are cut: classes take turns, {@code batch} consecutive images are computed
 * together, and {@code shardImages} of them, a multiple of the batch, make a shard. So the batch that an image shares
 * depends on its index alone, whatever the shards are.
 *
 * @param count images of the run
 * @param classes the classes; image i has number i modulo their count
 * @param batch images of a micro-batch
 * @param shardImages images of a shard
 */
record SampleLayout(int count, List<Integer> classes, int batch, int shardImages) implements Serializable {
    private static final String BATCH = "batch";
    private static final String SHARD_IMAGES = "shard_images";

    SampleLayout {
        classes = List.copyOf(classes);
    }

    /** The layout that a recipe asks for; its shards are filled up to whole micro-batches. */
    static SampleLayout of(Recipe recipe) {
        GenerateSettings generate = recipe.generate();
        int batch = Math.min(generate.batch(), generate.count());
        int batches = (generate.shardImages() + batch - 1) / batch;
        return new SampleLayout(generate.count(), classes(recipe), batch, Math.multiplyExact(batches, batch));
    }

    /** The recipe's layout in the units of an earlier plan. */
    static SampleLayout of(Recipe recipe, Plan plan) {
        return new SampleLayout(recipe.generate().count(), classes(recipe), plan.unit(BATCH), plan.unit(SHARD_IMAGES));
    }

    private static List<Integer> classes(Recipe recipe) {
        List<Integer> asked = recipe.generate().classes();
        return asked.isEmpty()
                ? IntStream.range(0, recipe.model().classes()).boxed().toList()
                : asked;
    }

    /** The units of a plan. */
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
