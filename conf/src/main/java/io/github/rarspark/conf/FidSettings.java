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
                        doc =
                                "Network whose features are compared, with its weights: inception:URI, as in published tables, or"
                                        + " classifier:URI.")
                String features,
        @Setting(value = "", altersResult = false, doc = "Folder for the result.") String output,
        @Setting(
                        value = "100",
                        range = "[0, )",
                        altersResult = false,
                        doc =
                                "Images that cannot be used are listed in quarantine.jsonl; more than this many, of samples and"
                                        + " reference together, end the job.")
                int maxBad,
        @Setting(
                        value = "false",
                        doc = "Also measure the distance between two random halves of the reference's images.")
                boolean floor,
        @Setting(
                        value = "0",
                        range = "[0, )",
                        doc = "Side of the images in pixels; image files are cropped to it. 0 is what the network is"
                                + " meant for: 256 for Inception, else what it was trained on.")
                int imageSize,
        @Setting(
                        value = "5000",
                        range = "[1, )",
                        doc = "Images of a split of the Inception Score; splits are consecutive, so classes must"
                                + " alternate.")
                int splitImages,
        @Setting(value = "3", range = "[1, )", doc = "Nearest neighbours of precision and recall.") int neighbours,
        @Setting(value = "100", range = "[1, )", doc = "Random subsets that KID is averaged over.") int kidSubsets,
        @Setting(
                        value = "1000",
                        range = "[2, )",
                        doc = "Images of each set in a subset of KID; all if a set has fewer.")
                int kidSubsetImages,
        @Setting(
                        value = "",
                        altersResult = false,
                        doc = "Folder for computed features, which runs with the same one compute once for each set and"
                                + " network. Without it they are kept in the output.")
                String cache,
        @Setting(value = "32", range = "[1, )", doc = "Images that go through the network together.") int batch,
        @Setting(value = "1", range = "[1, )", doc = "Threads of libtorch in one task.") int threads)
        implements Serializable {}
