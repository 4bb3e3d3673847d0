package io.github.rarspark.conf;

import java.io.Serializable;

/** Tokenization of images. Locations are Hadoop URIs; empty means not given. */
@Settings(
        """
        key            | type     | default | range | hashed | meaning
        input          | String   |         |       | no     | Images: a folder with one folder per class, tar files of
                                                               images and labels, or Parquet of image bytes and labels. Or
                                                               tokens of another program: a .jsonl file.
        class_map      | String   |         |       | no     | File with the class ids of folders, or of labels in tar
                                                               files: a line "NAME LABEL" per class in the order of the
                                                               ids, or JSON; without it, ids number the sorted folders.
        tokenizer      | String   |         |       | no     | Weights of the tokenizer.
        output         | String   |         |       | no     | Output folder for the token shards.
        max_bad        | BadLimit | 100     |       | no     | Images that cannot be used are listed in quarantine.jsonl;
                                                               the job fails if there are more than this number, or
                                                               this share such as 0.1%.
        check          | boolean  | false   |       | no     | Only check the existing output: manifest, checksums and
                                                               every row.
        preview        | boolean  | false   |       | no     | Only write preview.png and preview.json to the output: 16
                                                               of the images beside what their tokens keep of them. A
                                                               tokenization writes them, too.
        incremental    | boolean  | false   |       | no     | Tokenize the files that the output does not have yet, and
                                                               add them to it as a generation of shards.
        jsonl          | boolean  | false   |       | no     | Also write all rows to tokens.jsonl, the public format with
                                                               one JSON object per line.
        shard_images   | int      | 4096    | [1, ) | yes    | Images per shard, the unit of work.
        batch          | int      | 16      | [1, ) | no     | Crops per forward pass of the encoder.
        threads        | int      | 1       | [1, ) | no     | Libtorch threads per task.
        decode_threads | int      | 0       | [0, ) | no     | Threads per task that read, decode and scale images while
                                                               others are encoded; 0 for as many as the task has cores.
        """)
public record TokenizeSettings(
        String input,
        String classMap,
        String tokenizer,
        String output,
        BadLimit maxBad,
        boolean check,
        boolean preview,
        boolean incremental,
        boolean jsonl,
        int shardImages,
        int batch,
        int threads,
        int decodeThreads)
        implements Serializable {}
