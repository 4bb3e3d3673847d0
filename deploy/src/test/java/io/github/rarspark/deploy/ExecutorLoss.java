package io.github.rarspark.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.GatedFiles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.SparkSession;
import org.awaitility.Awaitility;

/**
 * An executor is killed in the middle of the training of {@link FourJobs}: while rank 0 writes a checkpoint, which waits for
 * that, after others were published.
 *
 * @param gate a path that does not exist
 */
record ExecutorLoss(Path gate) {
    private static final String CHECKPOINT = "checkpoints/step-000000010-a1-r0";
    static final Duration LIMIT = Duration.ofSeconds(180);

    /** What the session of the jobs needs. */
    Map<String, String> settings() {
        Map<String, String> settings = new TreeMap<>();
        GatedFiles.closed(gate, CHECKPOINT).forEach((key, value) -> settings.put("spark.hadoop." + key, value));
        return settings;
    }

    /**
     * Runs the jobs, which take the loss as one restart of the training.
     *
     * @param executors those that are alive: two while the training runs
     */
    void during(FourJobs jobs, SparkSession session, Supplier<List<ProcessHandle>> executors) throws Exception {
        CompletableFuture<Void> run = CompletableFuture.runAsync(() -> {
            try {
                jobs.run(session, Map.of());
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
        GatedFiles.awaitWriter(gate, run);
        assertThat(executors.get()).hasSize(2);
        ProcessHandle lost = executors.get().get(0);
        assertThat(lost.destroyForcibly()).isTrue();
        Awaitility.await("the end of the executor").atMost(LIMIT).until(() -> !lost.isAlive());
        Files.deleteIfExists(gate);
        run.get(LIMIT.toSeconds(), TimeUnit.SECONDS);
        assertThat(jobs.result(new Storage(new Configuration()), "train").counts())
                .containsEntry("restarts", 1L);
    }
}
