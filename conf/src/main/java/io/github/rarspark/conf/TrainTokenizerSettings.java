package io.github.rarspark.conf;

import java.io.Serializable;

/** Training of a small tokenizer. Locations are Hadoop URIs; an empty one is not given. */
@Settings(
        """
        key           | type   | default | range | hashed | meaning
        images        | String |         |       | no     | Images as for tokenize.input.
        output        | String |         |       | no     | Folder for the weights.
        max_bad       | int    | 100     | [0, ) | no     | Images that cannot be used are listed in quarantine.jsonl;
                                                            more than this many end the job.
        steps         | int    | 4000    | [1, ) | yes    | Updates to make.
        batch         | int    | 64      | [1, ) | yes    | Images of one update.
        lr            | double | 0.001   | (0, ) | yes    | Highest learning rate; it decays along a cosine.
        commitment    | double | 0.25    | [0, ) | yes    | Weight of the commitment loss.
        restart_every | int    | 100     | [0, ) | yes    | Updates after which a code that nothing was assigned to
                                                            restarts at an encoder output; 0 is never.
        threads       | int    | 2       | [1, ) | yes    | Threads of libtorch.
        """)
public record TrainTokenizerSettings(
        String images,
        String output,
        int maxBad,
        int steps,
        int batch,
        double lr,
        double commitment,
        int restartEvery,
        int threads)
        implements Serializable {}
