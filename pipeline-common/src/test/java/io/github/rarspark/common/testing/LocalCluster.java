package io.github.rarspark.common.testing;

import io.github.rarspark.common.spark.SparkSessions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.SparkSession;

/**
 * A Spark whose executors are processes of their own on this machine, each with the class path of the test. The build
 * sets SPARK_HOME and SPARK_SCALA_VERSION, which Spark reads from the environment.
 */
public final class LocalCluster {
    private static final Duration START_LIMIT = Duration.ofSeconds(90);

    private LocalCluster() {}

    /** A session with {@code executors} executors of {@code cores} cores each; all started; the caller closes it. */
    public static SparkSession start(int executors, int cores, Map<String, String> settings) {
        SparkSession session = open(executors, cores, settings);
        try {
            SparkSessions.awaitSlots(session, executors * cores, START_LIMIT);
            return session;
        } catch (InterruptedException | RuntimeException e) {
            session.stop();
            throw new IllegalStateException("The executors did not start", e);
        }
    }

    /** The same without waiting for the executors. */
    public static SparkSession open(int executors, int cores, Map<String, String> settings) {
        prepareSparkHome();
        SparkSession.Builder builder = SparkSession.builder()
                .appName("local-cluster")
                .master("local-cluster[" + executors + "," + cores + ",1024]")
                .config("spark.driver.host", "127.0.0.1")
                .config("spark.driver.bindAddress", "127.0.0.1")
                .config("spark.ui.enabled", "false")
                .config("spark.executor.memory", "1024m")
                .config("spark.executor.extraClassPath", Jvm.classPath())
                .config("spark.executor.extraJavaOptions", Jvm.options())
                .config("spark.task.reaper.enabled", "true");
        settings.forEach(builder::config);
        return builder.getOrCreate();
    }

    /** The executors, if this process has started no other JVMs. */
    public static List<ProcessHandle> executors() {
        return ProcessHandle.current()
                .children()
                .filter(process -> process.info().command().orElse("").endsWith("/java"))
                .toList();
    }

    /** Creates the folder that Spark expects below SPARK_HOME. */
    static void prepareSparkHome() {
        String home = System.getenv("SPARK_HOME");
        if (home == null || System.getenv("SPARK_SCALA_VERSION") == null) {
            throw new IllegalStateException("SPARK_HOME and SPARK_SCALA_VERSION are not set: run through Maven");
        }
        try {
            Files.createDirectories(Path.of(home, "jars"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
