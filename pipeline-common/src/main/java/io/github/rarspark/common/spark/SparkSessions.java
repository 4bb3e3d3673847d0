package io.github.rarspark.common.spark;

import java.util.Map;
import java.util.Optional;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;

/** Starts the Spark session of a command. Driver only. */
public final class SparkSessions {
    private static final Map<String, String> DEFAULTS = Map.of(
            "spark.ui.showConsoleProgress", "false",
            // Tasks of a failed stage are told to stop, and watched until they do.
            "spark.task.reaper.enabled", "true");

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

    /** The session's context for Java. */
    public static JavaSparkContext context(SparkSession session) {
        return JavaSparkContext.fromSparkContext(session.sparkContext());
    }
}
