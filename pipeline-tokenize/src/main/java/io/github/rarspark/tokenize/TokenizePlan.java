package io.github.rarspark.tokenize;

import io.github.rarspark.common.images.ImageSource;
import io.github.rarspark.common.images.ImageUnit;
import io.github.rarspark.common.run.Plan;
import io.github.rarspark.common.tokens.TokenFormat;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.TokenizeSettings;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * The images, in the order of their listing, are split into units of {@code tokenize.shard_images}; each unit becomes
 * the shard with its number, whose crops are encoded in order, {@code tokenize.batch} at a time.
 */
final class TokenizePlan {
    private static final String COMMAND = "tokenize";
    private static final String SHARD_IMAGES = "shard_images";
    private static final String BATCH = "batch";
    private static final String THREADS = "threads";

    private final Plan plan;
    private final List<Shard> shards;

    /**
     * A shard to write.
     *
     * @param name its name in the output
     * @param images its images
     */
    record Shard(String name, ImageUnit images) implements Serializable {}

    private TokenizePlan(Plan plan, List<Shard> shards) {
        this.plan = plan;
        this.shards = shards;
    }

    /** The plan of a recipe for these images and this tokenizer. */
    static TokenizePlan of(Recipe recipe, ImageSource images, TokenizerFile tokenizer) {
        TokenizeSettings settings = recipe.tokenize();
        return of(
                Plan.of(
                        COMMAND,
                        recipe.resultSettings("image", "tokenizer", "tokenize", "compute"),
                        Map.of(
                                "input",
                                images.sha256(),
                                "tokenizer",
                                tokenizer.file().sha256()),
                        Map.of(
                                SHARD_IMAGES, Integer.toString(settings.shardImages()),
                                BATCH, Integer.toString(settings.batch()),
                                THREADS, Integer.toString(settings.threads()))),
                images);
    }

    /** What a plan asks for, which may be an earlier attempt's for the same images. */
    static TokenizePlan of(Plan plan, ImageSource images) {
        List<Shard> shards = new ArrayList<>();
        for (ImageUnit unit : images.units(plan.unit(SHARD_IMAGES))) {
            shards.add(new Shard(TokenFormat.shardName(0, shards.size()), unit));
        }
        return new TokenizePlan(plan, List.copyOf(shards));
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

    long images() {
        return shards.stream().mapToLong(shard -> shard.images().images()).sum();
    }

    int batch() {
        return plan.unit(BATCH);
    }

    int threads() {
        return plan.unit(THREADS);
    }

    /** Describes the remaining work in a sentence. */
    String sentence(List<Shard> missing) {
        return String.format(
                Locale.ROOT, "tokenize %d of %d shards (%d images in all)", missing.size(), shards.size(), images());
    }
}
