package io.github.rarspark.common.testing;

import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.conf.Recipe;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * A Spark in the process of the test, whose tasks are threads. A static field with {@code @RegisterExtension} shares one
 * among the tests of a class.
 */
public final class LocalSpark implements BeforeAllCallback, AfterAllCallback {
    private final int cores;
    private final int coresOfTask;
    private SparkSession session;

    /** A Spark with {@code cores} task slots. */
    public LocalSpark(int cores) {
        this(cores, 1);
    }

    /** A Spark with {@code cores} cores, of which a task takes several. */
    public LocalSpark(int cores, int coresOfTask) {
        this.cores = cores;
        this.coresOfTask = coresOfTask;
    }

    @Override
    public void beforeAll(ExtensionContext test) {
        session = start(cores, coresOfTask);
    }

    @Override
    public void afterAll(ExtensionContext test) {
        session.close();
    }

    /** The session of the class. */
    public SparkSession session() {
        return session;
    }

    /** What a job gets that runs {@code recipe} in the session of the class. */
    public JobContext context(Recipe recipe) {
        return JobContext.of(session, recipe, true);
    }

    /** A session with {@code cores} task slots, bound to the loopback device; the caller closes it. */
    public static SparkSession start(int cores) {
        return start(cores, 1);
    }

    private static SparkSession start(int cores, int coresOfTask) {
        return SparkSession.builder()
                .master("local[" + cores + "]")
                .appName("test")
                .config("spark.task.cpus", coresOfTask)
                .config("spark.ui.enabled", "false")
                .config("spark.driver.host", "127.0.0.1")
                .config("spark.driver.bindAddress", "127.0.0.1")
                .getOrCreate();
    }
}
