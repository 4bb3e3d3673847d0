package io.github.rarspark.conf;

import java.io.Serializable;

/** Training of a small tokenizer. Locations are Hadoop URIs; empty means not given. */
@Settings(
        """
        key           | type     | default | range | hashed | meaning
        images        | String   |         |       | no     | Images, as for tokenize.input.
        output        | String   |         |       | no     | Output folder for the weights.
        max_bad       | BadLimit | 100     |       | no     | Images that cannot be used are listed in quarantine.jsonl;
                                                              the job fails if there are more than this number, or
                                                              this share such as 0.1%.
        steps         | int      | 4000    | [1, ) | yes    | Number of updates.
        batch         | int      | 64      | [1, ) | yes    | Images per update.
        lr            | double   | 0.001   | (0, ) | yes    | Peak learning rate, followed by cosine decay.
        commitment    | double   | 0.25    | [0, ) | yes    | Weight of the commitment loss.
        restart_every | int      | 100     | [0, ) | yes    | Updates after which an unused code restarts at an encoder
                                                              output; 0 for never.
        threads       | int      | 2       | [1, ) | yes    | Libtorch threads.
        """)
public record TrainTokenizerSettings(
        String images,
        String output,
        BadLimit maxBad,
        int steps,
        int batch,
        double lr,
        double commitment,
        int restartEvery,
        int threads)
        implements Serializable {}
