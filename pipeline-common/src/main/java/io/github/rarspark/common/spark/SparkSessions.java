package io.github.rarspark.common.spark;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.storage.Secrets;
import io.github.rarspark.conf.ComputeSettings;
import io.github.rarspark.conf.Layer;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.SparkSettings;
import java.time.Duration;
import java.util.Map;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;

/** Starts the Spark session of a command. Driver only. */
public final class SparkSessions {
    /** The recipe key that limits how long a job waits for executors. */
    static final String WAIT_KEY = "spark.wait_seconds";

    /** Carries the resolved value of {@link #WAIT_KEY} to where the session is at hand. */
    private static final String WAIT_CONF = Layer.SPARK_PREFIX + WAIT_KEY;

    private static final String DESCRIPTION = "spark.job.description";
    private static final long POLL_MILLIS = 100;
    /** Where executors find the recipe's {@code spark.weights_cache_gb}. */
    private static final String WEIGHTS_CACHE = Layer.SPARK_PREFIX + "spark.weights_cache_gb";

    private static final Map<String, String> DEFAULTS = Map.ofEntries(
            Map.entry("spark.ui.showConsoleProgress", "false"),
            // Tasks of a failed stage are told to stop, and watched until they do.
            Map.entry("spark.task.reaper.enabled", "true"),
            // Ends the executor of a task that does not stop, such as one that waits in native code for others to join.
            Map.entry("spark.task.reaper.killTimeout", "60s"),
            // Seconds that a task waits at a barrier for a lost one; Spark's default is a year.
            Map.entry("spark.barrier.sync.timeout", "600"),
            // A long training outlives many executors; Spark's limits are for short jobs.
            Map.entry("spark.executor.failuresValidityInterval", "1h"),
            Map.entry("spark.executor.maxNumFailures", "1000"),
            // Spark looks for the slots of a barrier stage every second instead of every 15 s, for as long in all.
            Map.entry("spark.scheduler.barrier.maxConcurrentTasksCheck.interval", "1s"),
            Map.entry("spark.scheduler.barrier.maxConcurrentTasksCheck.maxFailures", "600"),
            // Settings whose values the event log and the UI do not show.
            Map.entry("spark.redaction.regex", Secrets.SPARK_REDACTION),
            // Opts out of DJL's usage tracking.
            Map.entry("spark.executorEnv.OPT_OUT_TRACKING", "true"),
            // Freed memory is kept for the next step; once, and not by each of the arenas that threads would have.
            Map.entry("spark.executorEnv.MALLOC_ARENA_MAX", "1"),
            // A full disk and the like are recognized by the system's words in English.
            Map.entry("spark.executorEnv.LC_MESSAGES", "C"));

    private SparkSessions() {}

    /**
     * A session named {@code appName}.
     *
     * @param recipe the recipe's settings; without a master, it runs where spark-submit or the Spark configuration
     *     says, else in {@code local[*]}
     * @param compute what the tasks compute with
     * @param settings Spark settings of the command, below those of spark-submit
     */
    public static SparkSession open(
            String appName, SparkSettings recipe, ComputeSettings compute, Map<String, String> settings) {
        SparkConf conf = new SparkConf(true).setAppName(appName);
        if (!recipe.master().isEmpty()) {
            conf.setMaster(recipe.master());
        }
        conf.setIfMissing("spark.master", StageResources.LOCAL_MASTER);
        conf.set(WAIT_CONF, Integer.toString(recipe.waitSeconds()));
        conf.set(WEIGHTS_CACHE, Double.toString(recipe.weightsCacheGb()));
        settings.forEach(conf::setIfMissing);
        StageResources.ofLocalRun(conf.get("spark.master"), compute.device()).forEach(conf::setIfMissing);
        DEFAULTS.forEach(conf::setIfMissing);
        Secrets.share(conf);
        SparkSession session = SparkSession.builder().config(conf).getOrCreate();
        NativeCache.choose(SparkEnv.get());
        return session;
    }

    /**
     * Says what the jobs that this thread starts do, such as {@code tokenize 256 shards}. They form one group, whose
     * tasks are interrupted when it is cancelled.
     */
    public static void describe(SparkSession session, String sentence) {
        context(session).setJobGroup(sentence, sentence, true);
    }

    /** What the jobs that this thread starts do, as {@link #describe} has it. */
    static String description(SparkSession session) {
        String sentence = context(session).getLocalProperty(DESCRIPTION);
        return sentence == null ? "run a job" : sentence;
    }

    /** How long a job may wait for executors, from {@value #WAIT_KEY}. */
    public static Duration waitLimit(SparkSession session) {
        return waitLimit(session.sparkContext().getConf());
    }

    /** How long a job or task of a session with this configuration may wait for others, from {@value #WAIT_KEY}. */
    public static Duration waitLimit(SparkConf conf) {
        String standard = Recipe.KEYS.named(WAIT_KEY).defaultText();
        return Duration.ofSeconds(Long.parseLong(conf.get(WAIT_CONF, standard)));
    }

    /**
     * Waits until {@code count} tasks can run at the same time. A local session never gets more slots, so there it does
     * not wait.
     *
     * @throws JobException {@link ExitCode#UNAVAILABLE} if they cannot within {@code limit}
     */
    public static void awaitSlots(SparkSession session, int count, Duration limit) throws InterruptedException {
        awaitSlots(session, JobDevice.CPU, count, limit, () -> {});
    }

    /**
     * The same for tasks that compute on {@code device}, with a check of the caller's.
     *
     * @param check called several times a second while it waits; an exception ends the wait
     */
    public static void awaitSlots(SparkSession session, JobDevice device, int count, Duration limit, Runnable check)
            throws InterruptedException {
        boolean local = session.sparkContext().isLocal();
        long start = System.nanoTime();
        int offered = StageResources.slots(session, device);
        while (offered < count) {
            if (local || System.nanoTime() - start >= limit.toNanos()) {
                String need = "Cannot " + description(session) + ": it needs " + count
                        + " task slots at the same time, and " + offered;
                throw new JobException(
                        ExitCode.UNAVAILABLE,
                        local
                                ? need + " are there; use --master local[" + count + "]"
                                : need + " came within " + limit.toSeconds() + " s (" + WAIT_KEY
                                        + "); free the cluster, ask for more executors, or wait longer");
            }
            check.run();
            Thread.sleep(POLL_MILLIS);
            offered = StageResources.slots(session, device);
        }
    }

    /** What executors of a session with this configuration may keep of weights that no task uses. */
    public static long weightsCacheBytes(SparkConf conf) {
        String gigabytes = conf.get(
                WEIGHTS_CACHE, Recipe.KEYS.named("spark.weights_cache_gb").defaultText());
        return (long) (Double.parseDouble(gigabytes) * 1e9);
    }

    /** Whether the driver with this configuration runs on the cluster, and not where the user started it. */
    public static boolean isDriverOnCluster(SparkConf conf) {
        return conf.get("spark.submit.deployMode", "client").equals("cluster")
                // In a pod, spark-submit runs the driver in client mode.
                || conf.getBoolean("spark.kubernetes.submitInDriver", false);
    }

    /** The session's context for Java. */
    public static JavaSparkContext context(SparkSession session) {
        return JavaSparkContext.fromSparkContext(session.sparkContext());
    }
}
