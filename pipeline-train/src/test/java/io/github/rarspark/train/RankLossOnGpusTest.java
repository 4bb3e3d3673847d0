package io.github.rarspark.train;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.testing.ClusterGpus;
import io.github.rarspark.common.testing.LocalCluster;
import io.github.rarspark.conf.Recipe;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.spark.sql.SparkSession;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A rank on a GPU, which is emulated, is lost in the middle of a training; the same job ends with the same bits. */
@Tag("clusters")
@Tag("fault")
@Timeout(600)
class RankLossOnGpusTest {
    private static final Duration LIMIT = Duration.ofSeconds(180);

    @TempDir
    private Path folder;

    private Recipe recipe(String tokens, String output) {
        return Runs.recipe(
                tokens,
                folder.resolve(output),
                "compute.device",
                "gpu",
                "model.dropout",
                "0.1",
                "train.steps",
                "60",
                "train.checkpoint_every",
                "10");
    }

    @Test
    void theTrainingGoesOnWithAnotherExecutor() throws Exception {
        String tokens = Runs.tokens(folder);
        ExecutorService pool = Executors.newSingleThreadExecutor();
        try (SparkSession session = ClusterGpus.start(folder, Map.of("spark.deploy.maxExecutorRetries", "-1"))) {
            JobResult undisturbed = TrainJob.run(JobContext.of(session, recipe(tokens, "undisturbed"), true));
            assertThat(undisturbed.device()).isEqualTo("gpu");
            assertThat(undisturbed.counts()).containsEntry("restarts", 0L);

            Future<JobResult> run =
                    pool.submit(() -> TrainJob.run(JobContext.of(session, recipe(tokens, "run"), true)));
            Path last = folder.resolve("run").resolve(Checkpoints.LAST);
            Awaitility.await().atMost(LIMIT).until(() -> Files.exists(last));
            ProcessHandle executor = LocalCluster.executors().get(0);
            assertThat(executor.destroyForcibly()).isTrue();
            Awaitility.await().atMost(LIMIT).until(() -> !executor.isAlive());

            assertThat(run.get(LIMIT.toSeconds(), TimeUnit.SECONDS).counts()).containsEntry("restarts", 1L);
            assertThat(Runs.model(folder.resolve("run"))).isEqualTo(Runs.model(folder.resolve("undisturbed")));
        } finally {
            pool.shutdownNow();
        }
    }
}
