package io.github.rarspark.tokenize;

import io.github.rarspark.common.images.ImageSource;
import io.github.rarspark.common.images.ImageUnit;
import io.github.rarspark.common.run.Plan;
import io.github.rarspark.common.run.Published;
import io.github.rarspark.common.spark.JobDevice;
import io.github.rarspark.common.tokens.TokenFormat;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.TokenizeSettings;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;

/**
 * The images, in the order of their listing, are split into units of {@code tokenize.shard_images}; each unit becomes
 * the shard with its number. New files of an output that grows are a generation of their own. On GPUs the batch is a unit
 * of the plan as well: there, tokens depend on it up to rounding.
 */
final class TokenizePlan {
    private static final String COMMAND = "tokenize";
    private static final String SHARD_IMAGES = "shard_images";
    private static final String BATCH = "batch";
    private static final String GENERATION = "generation";

    private final Plan plan;
    private final List<Shard> shards;
    private final OptionalLong images;

    /**
     * A shard to write.
     *
     * @param name its name in the output
     * @param images its images
     */
    record Shard(String name, ImageUnit images) implements Serializable {}

    private TokenizePlan(Plan plan, List<Shard> shards, OptionalLong images) {
        this.plan = plan;
        this.shards = shards;
        this.images = images;
    }

    /** The plan of a recipe for the images of new files and this tokenizer. */
    static TokenizePlan of(Recipe recipe, NewFiles files, TokenizerFile tokenizer, JobDevice device) {
        TokenizeSettings settings = recipe.tokenize();
        Map<String, String> units = new TreeMap<>(Map.of(SHARD_IMAGES, Integer.toString(settings.shardImages())));
        if (device.isGpu()) {
            units.put(BATCH, Integer.toString(settings.batch()));
        }
        Map<String, String> inputs = new TreeMap<>(Map.of(
                Plan.FILES,
                files.images().sha256(),
                "tokenizer",
                tokenizer.file().sha256()));
        if (files.generation() > 0) {
            inputs.put(Published.INPUT, files.before().sha256());
            units.put(GENERATION, Integer.toString(files.generation()));
        }
        return of(
                Plan.of(COMMAND, recipe.resultSettings("image", "tokenizer", "tokenize", "compute"), inputs, units),
                files.images());
    }

    /** What a plan asks for, which may be an earlier attempt's for the same images. */
    static TokenizePlan of(Plan plan, ImageSource images) {
        List<Shard> shards = new ArrayList<>();
        int generation = Integer.parseInt(plan.units().getOrDefault(GENERATION, "0"));
        for (ImageUnit unit : images.units(plan.unit(SHARD_IMAGES))) {
            shards.add(new Shard(TokenFormat.shardName(generation, shards.size()), unit));
        }
        return new TokenizePlan(plan, List.copyOf(shards), images.images());
    }

    Plan plan() {
        return plan;
    }

    List<Shard> shards() {
        return shards;
    }

    List<String> shardNames() {
        return shards.stream().map(Shard::name).toList();
    }

    /** The shards of these names, in their order. */
    List<Shard> shards(Set<String> names) {
        return shards.stream().filter(shard -> names.contains(shard.name())).toList();
    }

    /** The number of images; empty if only reading them tells. */
    OptionalLong images() {
        return images;
    }

    /** Crops that are encoded together: as many as {@code given}, unless the plan decides it. */
    int batch(int given, JobDevice device) {
        return device.isGpu() ? plan.unit(BATCH) : given;
    }

    /** Describes the remaining work in a sentence. */
    String sentence(List<Shard> missing) {
        String work = String.format(Locale.ROOT, "tokenize %d of %d shards", missing.size(), shards.size());
        return images.isPresent() ? work + " (" + images.getAsLong() + " images in all)" : work;
    }
}
