package io.github.rarspark.common.spark;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;

/** Starts the Spark session of a command. Driver only. */
public final class SparkSessions {
    private static final long POLL_MILLIS = 100;
    private static final Map<String, String> DEFAULTS = Map.of(
            "spark.ui.showConsoleProgress", "false",
            // Tasks of a failed stage are told to stop, and watched until they do.
            "spark.task.reaper.enabled", "true",
            // Seconds that a task waits at a barrier for one that is gone; Spark would wait for a year.
            "spark.barrier.sync.timeout", "600",
            // DJL tells its makers about machines of a cloud unless it is asked not to.
            "spark.executorEnv.OPT_OUT_TRACKING", "true");

    private SparkSessions() {}

    /**
     * A session named {@code appName}.
     *
     * @param master where to run; if empty, what spark-submit or the Spark configuration says, else {@code local[*]}
     * @param settings Spark settings of the command, below those of spark-submit
     */
    public static SparkSession open(String appName, Optional<String> master, Map<String, String> settings) {
        SparkConf conf = new SparkConf(true).setAppName(appName);
        master.ifPresent(conf::setMaster);
        conf.setIfMissing("spark.master", "local[*]");
        settings.forEach(conf::setIfMissing);
        DEFAULTS.forEach(conf::setIfMissing);
        return SparkSession.builder().config(conf).getOrCreate();
    }

    /**
     * Says what the jobs that this thread starts do, such as {@code tokenize 256 shards}. They form one group, whose
     * tasks are interrupted when it is cancelled.
     */
    public static void describe(SparkSession session, String sentence) {
        context(session).setJobGroup(sentence, sentence, true);
    }

    /**
     * Waits until {@code count} executors have come. A barrier stage that starts earlier would wait in steps of 15 s.
     *
     * @throws JobException {@link ExitCode#UNAVAILABLE} if they have not within {@code limit}
     */
    public static void awaitExecutors(SparkSession session, int count, Duration limit) throws InterruptedException {
        long deadline = System.nanoTime() + limit.toNanos();
        int here = executors(session);
        while (here < count) {
            if (System.nanoTime() > deadline) {
                throw new JobException(
                        ExitCode.UNAVAILABLE,
                        "Cannot get " + count + " executors: " + here + " came within " + limit.toSeconds()
                                + " s; free the cluster or ask for fewer (spark.executor.instances)");
            }
            Thread.sleep(POLL_MILLIS);
            here = executors(session);
        }
    }

    /** How many executors are here; a local session is its own. */
    private static int executors(SparkSession session) {
        int withDriver = session.sparkContext().statusTracker().getExecutorInfos().length;
        return session.sparkContext().isLocal() ? withDriver : withDriver - 1;
    }

    /** The session's context for Java. */
    public static JavaSparkContext context(SparkSession session) {
        return JavaSparkContext.fromSparkContext(session.sparkContext());
    }
}
