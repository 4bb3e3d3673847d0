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
                double weightsCacheGb)
        implements Serializable {}
