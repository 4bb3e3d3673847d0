package io.github.rarspark.conf;

import static io.github.rarspark.conf.Checks.require;

import java.io.Serializable;
import java.util.List;

/** Class-conditional sampling. Locations are Hadoop URIs; an empty one is not given. */
@Settings(
        """
        key            | type          | default      | range | hashed | meaning
        weights        | String        |              |       | no     | Weights of the RAR model.
        tokenizer      | String        |              |       | no     | Weights of the tokenizer that decodes.
        output         | String        |              |       | no     | Folder for the images.
        count          | int           | 50000        | [1, ) | yes    | Images to make, classes assigned round-robin.
        classes        | List<Integer> |              |       | yes    | Classes to make, numbers separated by commas;
                                                                         none stands for all.
        seed           | long          | 0            |       | yes    | Seed; image i depends on seed, class, index,
                                                                         recipe and weights only.
        tokens         | boolean       | false        |       | yes    | Also keep the tokens of the images, in the
                                                                         folder tokens of the output, for train and
                                                                         decode.
        batch          | int           | 32           | [1, ) | yes    | Images that are sampled together.
        shard_images   | int           | 512          | [1, ) | yes    | Images of one shard, the unit of work; rounded
                                                                         up to whole batches.
        temperature    | double        | 1            | (0, ) | yes    | Divisor of the logits.
        guidance       | Guidance      | power-cosine |       | yes    | How the guidance scale depends on the step.
        guidance_scale | double        | 16           | [0, ) | yes    | Scale of classifier-free guidance; 0 is none.
        guidance_pow   | double        | 2.75         | [0, ) | yes    | Exponent of power-cosine guidance.
        order          | TokenOrder    | row-major    |       | yes    | Order in which the tokens are sampled; the one
                                                                         that training annealed to.
        precision      | Precision     | fp32         |       | yes    | Arithmetic of the large matrix products.
        threads        | int           | 1            | [1, ) | yes    | Threads of libtorch in one task.
        """)
public record GenerateSettings(
        String weights,
        String tokenizer,
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

    /** Checks that no class is asked for twice. */
    public GenerateSettings {
        classes = List.copyOf(classes);
        require(
                classes.stream().distinct().count() == classes.size(),
                "Cannot use generate.classes=%s: a class stands there twice; remove one",
                Key.format(classes));
    }
}
