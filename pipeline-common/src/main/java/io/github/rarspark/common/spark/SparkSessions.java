package io.github.rarspark.common.spark;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.conf.Keys;
import io.github.rarspark.conf.Layer;
import io.github.rarspark.conf.SparkSettings;
import java.time.Duration;
import java.util.Map;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;

/** Starts the Spark session of a command. Driver only. */
public final class SparkSessions {
    private static final long POLL_MILLIS = 100;
    /** Where executors find the recipe's {@code spark.weights_cache_gb}. */
    private static final String WEIGHTS_CACHE = Layer.SPARK_PREFIX + "spark.weights_cache_gb";

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
     * @param recipe the recipe's settings; without a master, it runs where spark-submit or the Spark configuration
     *     says, else in {@code local[*]}
     * @param settings Spark settings of the command, below those of spark-submit
     */
    public static SparkSession open(String appName, SparkSettings recipe, Map<String, String> settings) {
        SparkConf conf = new SparkConf(true).setAppName(appName);
        if (!recipe.master().isEmpty()) {
            conf.setMaster(recipe.master());
        }
        conf.setIfMissing("spark.master", "local[*]");
        conf.set(WEIGHTS_CACHE, Double.toString(recipe.weightsCacheGb()));
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

    /** What executors of a session with this configuration may keep of weights that no task uses. */
    public static long weightsCacheBytes(SparkConf conf) {
        String gigabytes =
                conf.get(WEIGHTS_CACHE, Keys.named("spark.weights_cache_gb").defaultText());
        return (long) (Double.parseDouble(gigabytes) * 1e9);
    }

    /** The session's context for Java. */
    public static JavaSparkContext context(SparkSession session) {
        return JavaSparkContext.fromSparkContext(session.sparkContext());
    }
}
