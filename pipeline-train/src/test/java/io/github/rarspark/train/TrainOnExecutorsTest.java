package io.github.rarspark.train;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.testing.LocalCluster;
import io.github.rarspark.common.testing.LocalSpark;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.train.tensorboard.EventReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.apache.spark.sql.SparkSession;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Ranks in executor processes of their own. */
@Tag("clusters")
@Timeout(600)
class TrainOnExecutorsTest {
    @TempDir
    Path folder;

    @Test
    void executorsTrainWhatThreadsTrain() throws Exception {
        String tokens = Runs.tokens(folder);
        Path threads = folder.resolve("threads");
        try (SparkSession session = LocalSpark.start(2)) {
            TrainJob.run(JobContext.of(session, Runs.recipe(tokens, threads), true));
        }
        Path processes = folder.resolve("processes");
        try (SparkSession session = LocalCluster.start(2, 1, Map.of())) {
            TrainJob.run(JobContext.of(session, Runs.recipe(tokens, processes), true));
        }
        assertThat(Runs.model(processes)).isEqualTo(Runs.model(threads));
    }

    @Test
    @Tag("fault")
    void aKilledExecutorIsReplacedAndTheRunEndsWithTheSameBits() throws Exception {
        String tokens = Runs.tokens(folder);
        String[] longer = {"train.steps", "400", "train.checkpoint_every", "20", "train.log_every", "20"};
        Path whole = folder.resolve("whole");
        Path cut = folder.resolve("cut");
        Recipe recipe = Runs.recipe(tokens, cut, longer);
        ExecutorService pool = Executors.newSingleThreadExecutor();
        try (SparkSession session = LocalCluster.start(2, 1, Map.of())) {
            Future<JobResult> run = pool.submit(() -> TrainJob.run(JobContext.of(session, recipe, true)));
            Awaitility.await()
                    .atMost(Duration.ofSeconds(120))
                    .until(() -> Files.exists(cut.resolve("checkpoints/LAST")));
            List<ProcessHandle> executors = executors();
            assertThat(executors).hasSize(2);
            executors.get(0).destroyForcibly();
            JobResult result = run.get(300, TimeUnit.SECONDS);
            assertThat(executors.get(0).isAlive()).isFalse();
            assertThat(result.counts()).containsEntry("restarts", 1L);
        } finally {
            pool.shutdownNow();
        }
        assertThat(cut.resolve("checkpoints/LAST")).content().matches("step-000000400-a1-r1-[0-9a-f]{8}\n");
        try (SparkSession session = LocalSpark.start(2)) {
            TrainJob.run(JobContext.of(session, Runs.recipe(tokens, whole, longer), true));
        }
        assertThat(Runs.model(cut)).isEqualTo(Runs.model(whole));
        assertThat(Files.readAllLines(cut.resolve(MetricsLog.NAME))).hasSize(20);
        List<EventReader.Event> events = EventReader.folder(cut);
        assertThat(EventReader.values(events, "loss/all"))
                .extracting(EventReader.Value::step)
                .isEqualTo(LongStream.rangeClosed(1, 20).mapToObj(i -> 20 * i).toList());
        assertThat(EventReader.values(events, "restarts"))
                .last()
                .extracting(EventReader.Value::scalar)
                .isEqualTo(1.0);
        assertThat(EventReader.values(events, "restarts/cause"))
                .singleElement()
                .extracting(EventReader.Value::text)
                .asString()
                .startsWith("restart 1 after step ");
    }

    /** Executors are the only JVMs that this one starts. */
    private static List<ProcessHandle> executors() {
        return ProcessHandle.current()
                .children()
                .filter(process -> process.info().command().orElse("").endsWith("/java"))
                .toList();
    }
}
