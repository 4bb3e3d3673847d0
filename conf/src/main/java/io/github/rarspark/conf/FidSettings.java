package io.github.rarspark.conf;

import java.io.Serializable;

/** Scoring of images against a reference. Locations are Hadoop URIs; an empty one is not given. */
@Settings(
        """
        key               | type    | default | range | hashed | meaning
        samples           | String  |         |       | no     | Images to score: an output of generate, an npz file or
                                                                 image files as for tokenize.input.
        reference         | String  |         |       | no     | Reference: an npz file with statistics, or images as
                                                                 for samples.
        features          | String  |         |       | no     | Network whose features are compared, with its weights:
                                                                 inception:URI, as in published tables, or
                                                                 classifier:URI.
        output            | String  |         |       | no     | Folder for the result.
        max_bad           | int     | 100     | [0, ) | no     | Images that cannot be used are listed in
                                                                 quarantine.jsonl; more than this many, of samples and
                                                                 reference together, end the job.
        floor             | boolean | false   |       | yes    | Also measure the distance between two random halves of
                                                                 the reference's images.
        image_size        | int     | 0       | [0, ) | yes    | Side of the images in pixels; image files are cropped
                                                                 to it. 0 is what the network is meant for: 256 for
                                                                 Inception, else what it was trained on.
        split_images      | int     | 5000    | [1, ) | yes    | Images of a split of the Inception Score; splits are
                                                                 consecutive, so classes must alternate.
        neighbours        | int     | 3       | [1, ) | yes    | Nearest neighbours of precision and recall.
        kid_subsets       | int     | 100     | [1, ) | yes    | Random subsets that KID is averaged over.
        kid_subset_images | int     | 1000    | [2, ) | yes    | Images of each set in a subset of KID; all if a set has
                                                                 fewer.
        cache             | String  |         |       | no     | Folder for computed features, which runs with the same
                                                                 one compute once for each set and network. Without it
                                                                 they are kept in the output.
        batch             | int     | 32      | [1, ) | yes    | Images that go through the network together.
        threads           | int     | 1       | [1, ) | yes    | Threads of libtorch in one task.
        """)
public record FidSettings(
        String samples,
        String reference,
        String features,
        String output,
        int maxBad,
        boolean floor,
        int imageSize,
        int splitImages,
        int neighbours,
        int kidSubsets,
        int kidSubsetImages,
        String cache,
        int batch,
        int threads)
        implements Serializable {}
