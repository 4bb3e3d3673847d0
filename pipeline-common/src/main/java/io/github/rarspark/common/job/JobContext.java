package io.github.rarspark.common.job;

import io.github.rarspark.common.spark.JobDevice;
import io.github.rarspark.common.spark.Progress;
import io.github.rarspark.common.spark.SparkSessions;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.conf.Recipe;
import org.apache.spark.sql.SparkSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The context of a job.
 *
 * @param session runs its tasks
 * @param storage holds its inputs and its output
 * @param recipe all settings, resolved
 * @param quiet whether to show no progress
 * @param stop asks the job to end early
 */
public record JobContext(SparkSession session, Storage storage, Recipe recipe, boolean quiet, StopRequest stop) {
    private static final Logger LOG = LoggerFactory.getLogger(JobContext.class);

    /** The context of a job that nobody asks to end early. */
    public JobContext(SparkSession session, Storage storage, Recipe recipe, boolean quiet) {
        this(session, storage, recipe, quiet, new StopRequest());
    }

    /** The context of a job whose storage has the Hadoop configuration of {@code session}. */
    public static JobContext of(SparkSession session, Recipe recipe, boolean quiet) {
        return of(session, recipe, quiet, new StopRequest());
    }

    /** The same for a job that may be asked to end early. */
    public static JobContext of(SparkSession session, Recipe recipe, boolean quiet, StopRequest stop) {
        Storage storage = new Storage(SparkSessions.context(session).hadoopConfiguration());
        return new JobContext(session, storage, recipe, quiet, stop);
    }

    /** The same context with another recipe, for a job that runs other jobs. */
    public JobContext with(Recipe other) {
        return new JobContext(session, storage, other, quiet, stop);
    }

    /** What the job's tasks compute on. */
    public JobDevice device() {
        return JobDevice.of(session.sparkContext().getConf(), recipe.compute());
    }

    /** Prints a line to stderr unless the job is quiet; always logs it. */
    public void say(String line) {
        LOG.info(line);
        if (!quiet) {
            System.err.println("rar-spark: " + line);
        }
    }

    /** Shows the progress of a run of {@code total} units, such as {@code shards}, unless the job is quiet. */
    public Progress progress(String task, String unit, long total) {
        return Progress.start(task, unit, total, quiet);
    }
}
