package io.github.rarspark.conf;

import java.io.Serializable;

/** The job from images to tokens. Locations are Hadoop URIs; an empty one is not given. */
@Settings(
        """
        key          | type    | default | range | hashed | meaning
        input        | String  |         |       | no     | Images: a folder with one folder per class, or Parquet of
                                                            image bytes and labels.
        tokenizer    | String  |         |       | no     | Weights of the tokenizer.
        output       | String  |         |       | no     | Folder for the token shards.
        max_bad      | int     | 100     | [0, ) | no     | Images that cannot be used are listed in quarantine.jsonl;
                                                            more than this many end the job.
        check        | boolean | false   |       | no     | Only check the output that is there: manifest, checksums and
                                                            every row.
        jsonl        | boolean | false   |       | no     | Also write all rows to tokens.jsonl, one JSON object a line,
                                                            the public format.
        shard_images | int     | 4096    | [1, ) | yes    | Images of one shard, the unit of work.
        batch        | int     | 16      | [1, ) | yes    | Crops that go through the encoder together.
        threads      | int     | 1       | [1, ) | yes    | Threads of libtorch in one task.
        """)
public record TokenizeSettings(
        String input,
        String tokenizer,
        String output,
        int maxBad,
        boolean check,
        boolean jsonl,
        int shardImages,
        int batch,
        int threads)
        implements Serializable {}
