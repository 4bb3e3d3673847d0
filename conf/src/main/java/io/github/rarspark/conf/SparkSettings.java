package io.github.rarspark.conf;

import java.io.Serializable;

/** Where the jobs run. */
public record SparkSettings(
        @Setting(
                        value = "",
                        altersResult = false,
                        doc = "Spark master; empty takes spark-submit's, and local[*] without one.")
                String master,
        @Setting(
                        value = "4",
                        range = "[0, )",
                        altersResult = false,
                        doc =
                                "Gigabytes of weights that an executor keeps for later tasks; the last used stay in any case.")
                double weightsCacheGb,
        @Setting(
                        value = "600",
                        range = "[1, )",
                        altersResult = false,
                        doc = "Seconds that a job waits for executors to take its tasks before it stops.")
                int waitSeconds)
        implements Serializable {}
