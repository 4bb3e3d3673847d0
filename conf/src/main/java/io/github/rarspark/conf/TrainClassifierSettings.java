package io.github.rarspark.conf;

import java.io.Serializable;

/** Training of a small classifier, whose features can score images. Locations are Hadoop URIs. */
@Settings(
        """
        key     | type   | default | range | hashed | meaning
        images  | String |         |       | no     | Labelled images as for tokenize.input.
        output  | String |         |       | no     | Folder for the weights.
        max_bad | int    | 100     | [0, ) | no     | Images that cannot be used are listed in quarantine.jsonl; more
                                                      than this many end the job.
        steps   | int    | 2000    | [1, ) | yes    | Updates to make.
        batch   | int    | 64      | [1, ) | yes    | Images of one update.
        lr      | double | 0.002   | (0, ) | yes    | Highest learning rate; it decays along a cosine.
        threads | int    | 2       | [1, ) | yes    | Threads of libtorch.
        """)
public record TrainClassifierSettings(
        String images, String output, int maxBad, int steps, int batch, double lr, int threads)
        implements Serializable {}
