package io.github.rarspark.train;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.spark.JobDevice;
import io.github.rarspark.common.spark.UnitTasks;
import io.github.rarspark.common.testing.ClusterGpus;
import io.github.rarspark.common.testing.LocalCluster;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.kernel.testing.FakeGpus;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.spark.SparkEnv;
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
    private static final JobDevice GPU = new JobDevice(true, false);
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

    private static Set<String> executors(SparkSession session) {
        Set<String> found = new TreeSet<>();
        Awaitility.await().atMost(LIMIT).until(() -> {
            UnitTasks.run(session, GPU, List.of(1, 2), unit -> SparkEnv.get().executorId(), found::add);
            return found.size() == 2;
        });
        return found;
    }

    /** Has the GPU of one executor fail at a call of an operator, and from then on; returns the executor. */
    private static String breakAGpu(SparkSession session, String operator, int call) {
        String chosen = executors(session).iterator().next();
        Set<String> told = new TreeSet<>();
        Awaitility.await().atMost(LIMIT).until(() -> {
            UnitTasks.run(
                    session,
                    GPU,
                    List.of(1, 2),
                    unit -> {
                        if (SparkEnv.get().executorId().equals(chosen)) {
                            FakeGpus.breakContext(operator, call);
                        }
                        return SparkEnv.get().executorId();
                    },
                    told::add);
            return told.contains(chosen);
        });
        return chosen;
    }

    /** The texts for TensorBoard, among them why ranks were started again. */
    private static String events(Path run) throws IOException {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(run, "events.out.tfevents.*")) {
            StringBuilder all = new StringBuilder();
            for (Path file : files) {
                all.append(Files.readString(file, StandardCharsets.ISO_8859_1));
            }
            return all.toString();
        }
    }

    @Test
    void theTrainingGoesOnWithAnotherExecutor() throws Exception {
        String tokens = Runs.tokens(folder);
        ExecutorService pool = Executors.newSingleThreadExecutor();
        try (SparkSession session = ClusterGpus.start(folder, Map.of("spark.deploy.maxExecutorRetries", "-1"))) {
            JobResult undisturbed = TrainJob.run(JobContext.of(session, recipe(tokens, "undisturbed"), true));
            assertThat(undisturbed.device()).isEqualTo("gpu");
            assertThat(undisturbed.counts()).containsEntry("restarts", 0L);

            ProcessHandle executor = LocalCluster.executors().get(0);
            Future<JobResult> run =
                    pool.submit(() -> TrainJob.run(JobContext.of(session, recipe(tokens, "run"), true)));
            Path last = folder.resolve("run").resolve(Checkpoints.LAST);
            // The steps that are left take less than a second.
            Awaitility.await().atMost(LIMIT).pollInterval(Duration.ofMillis(5)).until(() -> Files.exists(last));
            assertThat(executor.destroyForcibly()).isTrue();
            Awaitility.await().atMost(LIMIT).until(() -> !executor.isAlive());

            assertThat(run.get(LIMIT.toSeconds(), TimeUnit.SECONDS).counts()).containsEntry("restarts", 1L);
            assertThat(Runs.model(folder.resolve("run"))).isEqualTo(Runs.model(folder.resolve("undisturbed")));

            String broken = breakAGpu(session, "aten::_fused_adamw_", 50);
            JobResult after = TrainJob.run(JobContext.of(session, recipe(tokens, "broken"), true));
            assertThat(after.counts()).containsEntry("restarts", 1L);
            assertThat(events(folder.resolve("broken")))
                    .contains("(CUDA error: an illegal memory access was encountered)");
            assertThat(executors(session)).hasSize(2).doesNotContain(broken);
            assertThat(Runs.model(folder.resolve("broken"))).isEqualTo(Runs.model(folder.resolve("undisturbed")));
        } finally {
            pool.shutdownNow();
        }
    }
}
