package io.github.rarspark.conf;

import java.io.Serializable;

/** Training of a small classifier whose features can score images. Locations are Hadoop URIs; empty means not given. */
@Settings(
        """
        key     | type     | default | range | hashed | meaning
        images  | String   |         |       | no     | Labelled images, as for tokenize.input.
        output  | String   |         |       | no     | Output folder for the weights.
        max_bad | BadLimit | 100     |       | no     | Images that cannot be used are listed in quarantine.jsonl; the job
                                                        fails if there are more than this number, or this share such
                                                        as 0.1%.
        steps   | int      | 2000    | [1, ) | yes    | Number of updates.
        batch   | int      | 64      | [1, ) | yes    | Images per update.
        lr      | double   | 0.002   | (0, ) | yes    | Peak learning rate, followed by cosine decay.
        threads | int      | 2       | [1, ) | yes    | Libtorch threads.
        """)
public record TrainClassifierSettings(
        String images, String output, BadLimit maxBad, int steps, int batch, double lr, int threads)
        implements Serializable {}
