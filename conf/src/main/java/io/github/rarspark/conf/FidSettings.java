package io.github.rarspark.conf;

import java.io.Serializable;

/** Scoring of images against a reference. Locations are Hadoop URIs; an empty one is not given. */
public record FidSettings(
        @Setting(value = "", altersResult = false, doc = "Images to score: an output of generate or an npz file.")
                String samples,
        @Setting(value = "", altersResult = false, doc = "Reference: an npz file with statistics or images.")
                String reference,
        @Setting(
                        value = "",
                        doc =
                                "Network whose features are compared: inception:URI with its weights, or a classifier's URI.")
                String features,
        @Setting(value = "", altersResult = false, doc = "Folder for the result.") String output,
        @Setting(value = "32", range = "[1, )", doc = "Images that go through the network together.") int batch,
        @Setting(value = "1", range = "[1, )", doc = "Threads of libtorch in one task.") int threads)
        implements Serializable {}
