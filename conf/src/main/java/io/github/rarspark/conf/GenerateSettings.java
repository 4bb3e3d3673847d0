package io.github.rarspark.conf;

import static io.github.rarspark.conf.Checks.require;

import java.io.Serializable;
import java.util.List;

/** Class-conditional sampling. Locations are Hadoop URIs; an empty one is not given. */
public record GenerateSettings(
        @Setting(value = "", altersResult = false, doc = "Weights of the RAR model.") String weights,
        @Setting(value = "", altersResult = false, doc = "Weights of the tokenizer that decodes.") String tokenizer,
        @Setting(value = "", altersResult = false, doc = "Folder for the images.") String output,
        @Setting(value = "50000", range = "[1, )", doc = "Images to make, classes assigned round-robin.") int count,
        @Setting(value = "", doc = "Classes to make, numbers separated by commas; none stands for all.")
                List<Integer> classes,
        @Setting(value = "0", doc = "Seed; image i depends on seed, class, index, recipe and weights only.") long seed,
        @Setting(
                        value = "false",
                        doc =
                                "Also keep the tokens of the images, in the folder tokens of the output, for train and decode.")
                boolean tokens,
        @Setting(value = "32", range = "[1, )", doc = "Images that are sampled together.") int batch,
        @Setting(
                        value = "512",
                        range = "[1, )",
                        doc = "Images of one shard, the unit of work; rounded up to whole batches.")
                int shardImages,
        @Setting(value = "1", range = "(0, )", doc = "Divisor of the logits.") double temperature,
        @Setting(value = "power-cosine", doc = "How the guidance scale depends on the step.") Guidance guidance,
        @Setting(value = "16", range = "[0, )", doc = "Scale of classifier-free guidance; 0 is none.")
                double guidanceScale,
        @Setting(value = "2.75", range = "[0, )", doc = "Exponent of power-cosine guidance.") double guidancePow,
        @Setting(value = "row-major", doc = "Order in which the tokens are sampled; the one that training annealed to.")
                TokenOrder order,
        @Setting(value = "fp32", doc = "Arithmetic of the large matrix products.") Precision precision,
        @Setting(value = "1", range = "[1, )", doc = "Threads of libtorch in one task.") int threads)
        implements Serializable {

    /** Checks that no class is asked for twice. */
    public GenerateSettings {
        classes = List.copyOf(classes);
        require(
                classes.stream().distinct().count() == classes.size(),
                "Cannot use generate.classes=%s: a class stands there twice; remove one",
                Key.format(classes));
    }
}
