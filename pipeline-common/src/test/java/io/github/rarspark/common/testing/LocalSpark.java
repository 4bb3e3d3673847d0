package io.github.rarspark.common.testing;

import org.apache.spark.sql.SparkSession;

/** A Spark in the process of the test, whose tasks are threads. */
public final class LocalSpark {
    private LocalSpark() {}

    /** A session with {@code cores} task slots, bound to the loopback device; the caller closes it. */
    public static SparkSession start(int cores) {
        return SparkSession.builder()
                .master("local[" + cores + "]")
                .appName("test")
                .config("spark.ui.enabled", "false")
                .config("spark.driver.host", "127.0.0.1")
                .config("spark.driver.bindAddress", "127.0.0.1")
                .getOrCreate();
    }
}
