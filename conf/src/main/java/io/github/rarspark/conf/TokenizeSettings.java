package io.github.rarspark.conf;

import java.io.Serializable;

/** The job from images to tokens. Locations are Hadoop URIs; an empty one is not given. */
public record TokenizeSettings(
        @Setting(
                        value = "",
                        altersResult = false,
                        doc = "Images: a folder with one folder per class, or Parquet of image bytes and labels.")
                String input,
        @Setting(value = "", altersResult = false, doc = "Weights of the tokenizer.") String tokenizer,
        @Setting(value = "", altersResult = false, doc = "Folder for the token shards.") String output,
        @Setting(
                        value = "100",
                        range = "[0, )",
                        altersResult = false,
                        doc =
                                "Images that cannot be used are listed in quarantine.jsonl; more than this many end the job.")
                int maxBad,
        @Setting(
                        value = "false",
                        altersResult = false,
                        doc = "Only check the output that is there: manifest, checksums and every row.")
                boolean check,
        @Setting(
                        value = "false",
                        altersResult = false,
                        doc = "Also write all rows to tokens.jsonl, one JSON object a line, the public format.")
                boolean jsonl,
        @Setting(value = "4096", range = "[1, )", doc = "Images of one shard, the unit of work.") int shardImages,
        @Setting(value = "16", range = "[1, )", doc = "Crops that go through the encoder together.") int batch,
        @Setting(value = "1", range = "[1, )", doc = "Threads of libtorch in one task.") int threads)
        implements Serializable {}
