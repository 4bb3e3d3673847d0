package io.github.rarspark.conf;

import java.io.Serializable;

/** Where the jobs run. */
public record SparkSettings(
        @Setting(
                        value = "",
                        altersResult = false,
                        doc = "Spark master; empty takes spark-submit's, and local[*] without one.")
                String master)
        implements Serializable {}
