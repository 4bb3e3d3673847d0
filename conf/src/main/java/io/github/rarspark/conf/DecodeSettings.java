package io.github.rarspark.conf;

import java.io.Serializable;

/** The job from tokens to images. Locations are Hadoop URIs; an empty one is not given. */
public record DecodeSettings(
        @Setting(
                        value = "",
                        altersResult = false,
                        doc = "Tokens: an output of tokenize, the folder tokens of one of generate, or a .jsonl file.")
                String tokens,
        @Setting(value = "", altersResult = false, doc = "Weights of the tokenizer that decodes.") String tokenizer,
        @Setting(value = "", altersResult = false, doc = "Folder for the images.") String output,
        @Setting(value = "0", range = "[0, )", doc = "Rows to decode, the first ones; 0 is all.") int count,
        @Setting(value = "32", range = "[1, )", doc = "Images that are decoded together.") int batch,
        @Setting(
                        value = "512",
                        range = "[1, )",
                        doc = "Images of one shard, the unit of work; rounded up to whole batches.")
                int shardImages,
        @Setting(value = "1", range = "[1, )", doc = "Threads of libtorch in one task.") int threads)
        implements Serializable {}
