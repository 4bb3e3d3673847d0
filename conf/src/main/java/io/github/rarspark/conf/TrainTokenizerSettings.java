package io.github.rarspark.conf;

import java.io.Serializable;

/** Training of a small tokenizer. Locations are Hadoop URIs; an empty one is not given. */
public record TrainTokenizerSettings(
        @Setting(value = "", altersResult = false, doc = "Images as for tokenize.input.") String images,
        @Setting(value = "", altersResult = false, doc = "Folder for the weights.") String output,
        @Setting(
                        value = "100",
                        range = "[0, )",
                        altersResult = false,
                        doc =
                                "Images that cannot be used are listed in quarantine.jsonl; more than this many end the job.")
                int maxBad,
        @Setting(value = "4000", range = "[1, )", doc = "Updates to make.") int steps,
        @Setting(value = "64", range = "[1, )", doc = "Images of one update.") int batch,
        @Setting(value = "0.001", range = "(0, )", doc = "Highest learning rate; it decays along a cosine.") double lr,
        @Setting(value = "0.25", range = "[0, )", doc = "Weight of the commitment loss.") double commitment,
        @Setting(
                        value = "100",
                        range = "[0, )",
                        doc =
                                "Updates after which a code that nothing was assigned to restarts at an encoder output; 0 is never.")
                int restartEvery,
        @Setting(value = "2", range = "[1, )", doc = "Threads of libtorch.") int threads)
        implements Serializable {}
