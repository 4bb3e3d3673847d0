package io.github.rarspark.conf;

import java.io.Serializable;

/** Decoding of tokens to images. Locations are Hadoop URIs; empty means not given. */
@Settings(
        """
        key          | type    | default | range | hashed | meaning
        tokens       | String  |         |       | no     | Tokens: an output of tokenize, the folder tokens of an
                                                            output of generate, or a .jsonl file.
        tokenizer    | String  |         |       | no     | Weights of the tokenizer that decodes the tokens.
        output       | String  |         |       | no     | Output folder for the images.
        count        | int     | 0       | [0, ) | yes    | Decode only the first rows; 0 for all.
        png          | boolean | false   |       | no     | Also write the images as PNG files, in the folder png of the
                                                            output.
        batch        | int     | 32      | [1, ) | no     | Images that are read and decoded before the next ones.
        shard_images | int     | 0       | [0, ) | no     | Images per shard, the unit of work; 0 sizes shards to about
                                                            five minutes of work.
        threads      | int     | 1       | [1, ) | no     | Threads per task, each of which decodes an image; a GPU
                                                            decodes 16 at a time.
        """)
public record DecodeSettings(
        String tokens, String tokenizer, String output, int count, boolean png, int batch, int shardImages, int threads)
        implements Serializable {}
