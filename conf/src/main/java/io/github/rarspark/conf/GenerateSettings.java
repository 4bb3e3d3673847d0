package io.github.rarspark.conf;

import static io.github.rarspark.conf.Checks.require;

import java.io.Serializable;
import java.util.List;

/** Class-conditional sampling. Locations are Hadoop URIs; empty means not given. */
@Settings(
        """
        key            | type          | default      | range | hashed | meaning
        weights        | String        |              |       | no     | Weights of the RAR model.
        tokenizer      | String        |              |       | no     | Weights of the tokenizer that decodes the
                                                                         tokens.
        ema            | boolean       | false        |       | no     | Use ema.safetensors beside generate.weights, the
                                                                         moving average of the weights.
        output         | String        |              |       | no     | Output folder for the images.
        count          | int           | 50000        | [1, ) | yes    | Number of images, with classes assigned
                                                                         round-robin.
        classes        | List<Integer> |              |       | yes    | Classes to generate, separated by commas; all
                                                                         if empty.
        seed           | long          | 0            |       | yes    | Seed; image i depends only on seed, class,
                                                                         index, recipe and weights.
        tokens         | boolean       | false        |       | yes    | Also keep the tokens of the images, in the
                                                                         folder tokens of the output, for train and
                                                                         decode.
        batch          | int           | 32           | [1, ) | no     | Images that are sampled together.
        shard_images   | int           | 512          | [1, ) | no     | Images per shard, the unit of work.
        temperature    | double        | 1            | (0, ) | yes    | Sampling temperature, which divides the logits.
        guidance       | Guidance      | power-cosine |       | yes    | Schedule of the guidance scale over the steps.
        guidance_scale | double        | 16           | [0, ) | yes    | Scale of classifier-free guidance; 0 turns it
                                                                         off.
        guidance_pow   | double        | 2.75         | [0, ) | yes    | Exponent of the power-cosine schedule.
        order          | TokenOrder    | row-major    |       | yes    | Scan order in which the tokens are sampled: the
                                                                         one that training annealed to.
        precision      | Precision     | fp32         |       | yes    | Precision of the large matrix products.
        threads        | int           | 1            | [1, ) | no     | Threads per task.
        """)
public record GenerateSettings(
        String weights,
        String tokenizer,
        boolean ema,
        String output,
        int count,
        List<Integer> classes,
        long seed,
        boolean tokens,
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

    /** Checks that no class is listed twice. */
    public GenerateSettings {
        classes = List.copyOf(classes);
        require(
                classes.stream().distinct().count() == classes.size(),
                "Cannot use generate.classes=%s: a class is listed twice; remove one",
                Key.format(classes));
    }
}
