package io.github.rarspark.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.spark.SparkSessions;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.StandaloneCluster;
import java.nio.file.Path;
import java.time.Duration;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The four jobs on a Standalone cluster of a master and two workers, which loses an executor. */
@Tag("clusters")
@Tag("fault")
@Timeout(600)
class StandaloneJobsTest {
    @TempDir
    private Path folder;

    @Test
    void anExecutorIsKilledInTheTrainingAndAllEndsLikeUndisturbed() throws Exception {
        FourJobs jobs = FourJobs.write(folder, folder.resolve("jobs").toUri().toString());
        ExecutorLoss loss = new ExecutorLoss(folder.resolve("gate"));
        try (StandaloneCluster cluster = StandaloneCluster.start(folder.resolve("cluster"), 2)) {
            SparkSession session = cluster.session(loss.settings());
            SparkSessions.awaitSlots(session, 2, Duration.ofSeconds(90));
            loss.during(jobs, session, cluster::executors);
        }
        assertThat(jobs.contents(new Storage(new Configuration()))).isEqualTo(jobs.expected(folder));
    }
}
