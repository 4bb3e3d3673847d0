package io.github.rarspark.conf;

import java.io.Serializable;

/** The job from tokens to images. Locations are Hadoop URIs; an empty one is not given. */
@Settings(
        """
        key          | type    | default | range | hashed | meaning
        tokens       | String  |         |       | no     | Tokens: an output of tokenize, the folder tokens of one of
                                                            generate, or a .jsonl file.
        tokenizer    | String  |         |       | no     | Weights of the tokenizer that decodes.
        output       | String  |         |       | no     | Folder for the images.
        count        | int     | 0       | [0, ) | yes    | Rows to decode, the first ones; 0 is all.
        batch        | int     | 32      | [1, ) | yes    | Images that are decoded together.
        shard_images | int     | 512     | [1, ) | yes    | Images of one shard, the unit of work; rounded up to whole
                                                            batches.
        threads      | int     | 1       | [1, ) | yes    | Threads of libtorch in one task.
        """)
public record DecodeSettings(
        String tokens, String tokenizer, String output, int count, int batch, int shardImages, int threads)
        implements Serializable {}
