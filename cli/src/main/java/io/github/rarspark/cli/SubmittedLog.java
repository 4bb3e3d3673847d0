package io.github.rarspark.cli;

import java.io.PrintStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Optional;
import java.util.Properties;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.core.LoggerContext;
import org.apache.logging.log4j.core.config.DefaultConfiguration;
import org.apache.spark.SparkConf;

/**
 * The log of a driver that spark-submit starts here, in client mode. Unless it is configured, Spark prints all of it to
 * the console, with a stack trace for every task that fails; it then goes to a file, as that of a local run does.
 */
final class SubmittedLog {
    private static final String OF_SPARK = "org/apache/spark/log4j2-defaults.properties";
    private static final String OF_LOCAL_RUNS = "log4j2-local.xml";
    /** Names the file to {@value #OF_LOCAL_RUNS}. */
    private static final String FILE = "rar.log";

    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC);

    private SubmittedLog() {}

    /** Moves the log to the file in RAR_SPARK_LOG, else to one in java.io.tmpdir, and says so. */
    static void moveToFile(PrintStream err) {
        Object context = LogManager.getContext(SparkConf.class.getClassLoader(), false);
        if (isOnUsersConsole(System.getProperties())
                && context instanceof LoggerContext log4j
                && isUnconfigured(log4j)) {
            String file = Optional.ofNullable(System.getenv("RAR_SPARK_LOG")).orElseGet(SubmittedLog::temporary);
            System.setProperty(FILE, file);
            log4j.setConfigLocation(configuration());
            err.println("rar-spark: the log is " + file);
        }
    }

    /** Whether spark-submit runs the driver where the user started it. In a pod of Kubernetes it says so as well. */
    static boolean isOnUsersConsole(Properties spark) {
        return "client".equals(spark.getProperty("spark.submit.deployMode"))
                && !"true".equals(spark.getProperty("spark.kubernetes.submitInDriver"));
    }

    private static boolean isUnconfigured(LoggerContext log4j) {
        return log4j.getConfiguration() instanceof DefaultConfiguration
                || String.valueOf(log4j.getConfigLocation()).endsWith(OF_SPARK);
    }

    private static String temporary() {
        String name = "rar-spark-" + TIME.format(Instant.now()) + "-"
                + ProcessHandle.current().pid() + ".log";
        return Path.of(System.getProperty("java.io.tmpdir"), name).toString();
    }

    private static URI configuration() {
        try {
            return SubmittedLog.class.getResource(OF_LOCAL_RUNS).toURI();
        } catch (URISyntaxException e) {
            throw new IllegalStateException("Cannot locate " + OF_LOCAL_RUNS, e);
        }
    }
}
