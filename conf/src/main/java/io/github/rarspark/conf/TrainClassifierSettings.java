package io.github.rarspark.conf;

import java.io.Serializable;

/** Training of a small classifier, whose features can score images. Locations are Hadoop URIs. */
public record TrainClassifierSettings(
        @Setting(value = "", altersResult = false, doc = "Labelled images as for tokenize.input.") String images,
        @Setting(value = "", altersResult = false, doc = "Folder for the weights.") String output,
        @Setting(
                        value = "100",
                        range = "[0, )",
                        altersResult = false,
                        doc =
                                "Images that cannot be used are listed in quarantine.jsonl; more than this many end the job.")
                int maxBad,
        @Setting(value = "2000", range = "[1, )", doc = "Updates to make.") int steps,
        @Setting(value = "64", range = "[1, )", doc = "Images of one update.") int batch,
        @Setting(value = "0.002", range = "(0, )", doc = "Highest learning rate; it decays along a cosine.") double lr,
        @Setting(value = "2", range = "[1, )", doc = "Threads of libtorch.") int threads)
        implements Serializable {}
