package io.github.rarspark.conf;

import java.io.Serializable;

/** Scoring of images against a reference. Locations are Hadoop URIs; empty means not given. */
@Settings(
        """
        key               | type     | default | range | hashed | meaning
        samples           | String   |         |       | no     | Images to score: an output of generate, an npz file, or
                                                                  image files as for tokenize.input.
        reference         | String   |         |       | no     | Reference: an npz file of statistics, or images as for
                                                                  fid.samples.
        features          | String   |         |       | no     | Network whose features are compared, with its weights:
                                                                  inception:URI, as in published tables, or
                                                                  classifier:URI.
        output            | String   |         |       | no     | Output folder for the result.
        max_bad           | BadLimit | 100     |       | no     | Images that cannot be used are listed in
                                                                  quarantine.jsonl; the job fails if there are more than
                                                                  this number, or this share such as 0.1%, of samples
                                                                  and reference together.
        floor             | boolean  | false   |       | yes    | Also measure the distance between two random halves of
                                                                  the reference images.
        image_size        | int      | 0       | [0, ) | yes    | Side of the images in pixels, to which image files are
                                                                  cropped; 0 for the network's own: 256 for Inception,
                                                                  otherwise the size it was trained on.
        split_images      | int      | 5000    | [1, ) | yes    | Images per split of the Inception Score; splits are
                                                                  consecutive, so classes must alternate.
        neighbours        | int      | 3       | [1, ) | yes    | Nearest neighbours (k) in precision and recall.
        kid_subsets       | int      | 100     | [1, ) | yes    | Number of random subsets that KID is averaged over.
        kid_subset_images | int      | 1000    | [2, ) | yes    | Images of each set per KID subset; all of them if a set
                                                                  has fewer.
        cache             | String   |         |       | no     | Folder of cached features, shared by runs that name the
                                                                  same folder; in the output if empty.
        batch             | int      | 32      | [1, ) | yes    | Images per forward pass of the network.
        threads           | int      | 1       | [1, ) | yes    | Libtorch threads per task.
        """)
public record FidSettings(
        String samples,
        String reference,
        String features,
        String output,
        BadLimit maxBad,
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
