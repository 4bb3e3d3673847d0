package io.github.rarspark.cli.doctor;

import java.time.Duration;
import org.apache.spark.SparkEnv;
import org.apache.spark.storage.RandomBlockReplicationPolicy;

/** Keeps executor 1 from registering its block manager for a while after it has offered its slots. */
public final class SlowRegistration extends RandomBlockReplicationPolicy {
    static final String SETTING = "spark.storage.replication.policy";

    private static final Duration DELAY = Duration.ofSeconds(2);

    /** Called by Spark in each process, before it registers. */
    public SlowRegistration() throws InterruptedException {
        if (SparkEnv.get() != null && SparkEnv.get().executorId().equals("1")) {
            Thread.sleep(DELAY.toMillis());
        }
    }
}
