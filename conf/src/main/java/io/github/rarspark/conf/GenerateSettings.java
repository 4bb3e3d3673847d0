package io.github.rarspark.conf;

import static io.github.rarspark.conf.Checks.require;

import java.io.Serializable;
import java.util.List;
import java.util.stream.IntStream;

/** Class-conditional sampling. Locations are Hadoop URIs; empty means not given. */
@Settings(
        """
        key               | type          | default      | range | hashed | meaning
        weights           | String        |              |       | no     | Weights of the RAR model.
        tokenizer         | String        |              |       | no     | Weights of the tokenizer that decodes the
                                                                            tokens.
        ema               | boolean       | false        |       | no     | Use ema.safetensors beside generate.weights,
                                                                            the moving average of the weights.
        output            | String        |              |       | no     | Output folder for the images.
        count             | int           | 50000        | [1, ) | yes    | Number of images; their classes take turns.
        classes           | List<Integer> |              |       | yes    | Classes to generate, separated by commas;
                                                                            all if empty.
        samples_per_class | int           | 0            | [0, ) | yes    | Number of images of each class; overrides
                                                                            generate.count unless 0.
        class_counts      | List<Integer> |              |       | yes    | Numbers of images of the classes of
                                                                            generate.classes, in their order and
                                                                            separated by commas; override
                                                                            generate.count.
        class_names       | String        |              |       | no     | Text file with the name of each class of the
                                                                            model, one a line, for the captions of
                                                                            grid.png; if empty, the names that train
                                                                            stores with the weights.
        seed              | long          | 0            |       | yes    | Seed; image i depends only on seed, class,
                                                                            index, recipe and weights.
        tokens            | boolean       | false        |       | yes    | Also keep the tokens of the images, in the
                                                                            folder tokens of the output, for train and
                                                                            decode.
        png               | boolean       | false        |       | no     | Also write the images as PNG files, in the
                                                                            folder png of the output.
        batch             | int           | 32           | [1, ) | no     | Images that are sampled together.
        shard_images      | int           | 0            | [0, ) | no     | Images per shard, the unit of work; 0 sizes
                                                                            shards to about five minutes of work.
        temperature       | double        | 1            | (0, ) | yes    | Sampling temperature, which divides the
                                                                            logits.
        guidance          | Guidance      | power-cosine |       | yes    | Schedule of the guidance scale over the
                                                                            steps.
        guidance_scale    | double        | 16           | [0, ) | yes    | Scale of classifier-free guidance; 0 turns
                                                                            it off.
        guidance_pow      | double        | 2.75         | [0, ) | yes    | Exponent of the power-cosine schedule.
        order             | TokenOrder    | row-major    |       | yes    | Scan order in which the tokens are sampled:
                                                                            the one that training annealed to.
        precision         | Precision     | fp32         |       | yes    | Precision of the large matrix products.
        threads           | int           | 1            | [1, ) | no     | Threads per task.
        """)
public record GenerateSettings(
        String weights,
        String tokenizer,
        boolean ema,
        String output,
        int count,
        List<Integer> classes,
        int samplesPerClass,
        List<Integer> classCounts,
        String classNames,
        long seed,
        boolean tokens,
        boolean png,
        int batch,
        int shardImages,
        double temperature,
        Guidance guidance,
        double guidanceScale,
        double guidancePow,
        TokenOrder order,
        Precision precision,
        int threads)
        implements Serializable {

    /** Checks that no class is listed twice, and that no count is negative. */
    public GenerateSettings {
        classes = List.copyOf(classes);
        classCounts = List.copyOf(classCounts);
        require(
                classes.stream().distinct().count() == classes.size(),
                "Cannot use generate.classes=%s: a class is listed twice; remove one",
                Key.format(classes));
        require(
                classCounts.isEmpty() || classCounts.stream().noneMatch(images -> images < 0),
                "Cannot use generate.class_counts=%s: give numbers of at least 0",
                Key.format(classCounts));
    }

    /**
     * The number of images of each class, in the order of {@code classes}, or of the class ids if that is empty.
     *
     * @param modelClasses the number of classes of the model
     * @throws RecipeException if they do not match the classes, or are none or too many in all
     */
    public List<Integer> counts(int modelClasses) {
        int asked = classes.isEmpty() ? modelClasses : classes.size();
        require(
                classCounts.isEmpty() || classCounts.size() == asked,
                "Cannot use generate.class_counts=%s: it has %d numbers for %d classes; give one for each class of"
                        + " generate.classes",
                Key.format(classCounts),
                classCounts.size(),
                asked);
        List<Integer> counts = classCounts.isEmpty()
                ? IntStream.range(0, asked).mapToObj(i -> balanced(i, asked)).toList()
                : classCounts;
        long images = counts.stream().mapToLong(Integer::longValue).sum();
        require(
                images > 0 && images <= Integer.MAX_VALUE,
                "Cannot use generate.%s: it asks for %d images; ask for 1 to %d",
                classCounts.isEmpty() ? "samples_per_class" : "class_counts",
                images,
                Integer.MAX_VALUE);
        return counts;
    }

    private int balanced(int place, int classes) {
        return samplesPerClass > 0 ? samplesPerClass : count / classes + (place < count % classes ? 1 : 0);
    }
}
