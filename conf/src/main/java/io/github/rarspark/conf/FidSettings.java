package io.github.rarspark.conf;

import java.io.Serializable;

/** Scoring of images against a reference. Locations are Hadoop URIs; an empty one is not given. */
public record FidSettings(
        @Setting(
                        value = "",
                        altersResult = false,
                        doc =
                                "Images to score: an output of generate, an npz file or image files as for tokenize.input.")
                String samples,
        @Setting(
                        value = "",
                        altersResult = false,
                        doc = "Reference: an npz file with statistics, or images as for samples.")
                String reference,
        @Setting(
                        value = "",
                        altersResult = false,
                        doc = "Network whose features are compared: classifier:URI with its weights.")
                String features,
        @Setting(value = "", altersResult = false, doc = "Folder for the result.") String output,
        @Setting(
                        value = "false",
                        doc = "Also measure the distance between two random halves of the reference's images.")
                boolean floor,
        @Setting(value = "32", range = "[1, )", doc = "Images that go through the network together.") int batch,
        @Setting(value = "1", range = "[1, )", doc = "Threads of libtorch in one task.") int threads)
        implements Serializable {}
