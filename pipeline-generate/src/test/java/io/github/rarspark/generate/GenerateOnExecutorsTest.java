package io.github.rarspark.generate;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.Jvm;
import io.github.rarspark.common.testing.LocalCluster;
import io.github.rarspark.common.testing.LocalSpark;
import io.github.rarspark.conf.Recipe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.SparkSession;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The images are the same on any cluster, at any batch, and whoever is killed. */
@Tag("clusters")
@Tag("fault")
@Timeout(600)
class GenerateOnExecutorsTest {
    private static final int SHARDS = 40;
    private static final Map<String, String> RUN = Map.of("generate.count", "240", "generate.shard_images", "6");

    @TempDir
    private static Path folder;

    private static TinyModels tiny;
    private static String expected;

    @BeforeAll
    static void generateOnThreads() throws IOException {
        tiny = TinyModels.write(folder);
        try (SparkSession session = LocalSpark.start(2)) {
            generate(session, "threads", Map.of("generate.batch", "8"));
            generate(session, "other", Map.of("generate.batch", "8", "generate.seed", "1"));
        }
        expected = npz("threads");
        assertThat(npz("other")).isNotEqualTo(expected);
    }

    @Test
    void aKilledExecutorIsReplaced() throws Exception {
        ExecutorService pool = Executors.newSingleThreadExecutor();
        try (SparkSession session = LocalCluster.start(2, 1, Map.of())) {
            Future<JobResult> run = pool.submit(() -> generate(session, "run", Map.of("generate.batch", "3")));
            awaitFirstShard("run");
            ProcessHandle executor = LocalCluster.executors().get(0);
            assertThat(executor.destroyForcibly()).isTrue();
            assertThat(shards("run")).as("in the middle of the run").isLessThan(SHARDS);
            assertThat(run.get(240, TimeUnit.SECONDS).counts())
                    .containsEntry("images", 240L)
                    .containsEntry("images_resumed", 0L);
            assertThat(executor.isAlive()).isFalse();
        } finally {
            pool.shutdownNow();
        }
        assertThat(npz("run")).isEqualTo(expected);
    }

    /** The driver of an attempt is killed and one of its shards is lost; another cluster goes on at another batch. */
    @Test
    void aKilledDriversWorkIsContinuedElsewhere() throws Exception {
        Process driver = Jvm.of(List.of("-Xmx768m"), Driver.class.getName(), folder.toString(), "continued")
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(folder.resolve("driver.txt").toFile())
                .start();
        awaitFirstShard("continued");
        driver.destroyForcibly();
        assertThat(driver.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(folder.resolve("continued").resolve(JobResult.NAME)).doesNotExist();
        int finished = shards("continued");
        assertThat(finished).isBetween(1, SHARDS - 1);
        Files.delete(firstShard("continued"));

        try (SparkSession session = LocalCluster.open(1, 2, Map.of("spark.task.cpus", "2"))) {
            JobResult result = generate(session, "continued", Map.of("generate.batch", "32", "generate.threads", "2"));
            assertThat(result.counts())
                    .containsEntry("images", 240L)
                    .containsEntry("images_resumed", 6L * (finished - 1));
        }
        assertThat(npz("continued")).isEqualTo(expected);
    }

    /** A driver in a process of its own; its arguments are the folder of the models and the output's name. */
    static final class Driver {
        private Driver() {}

        public static void main(String[] arguments) throws IOException {
            Path folder = Path.of(arguments[0]);
            TinyModels models =
                    new TinyModels(folder.resolve("model.safetensors"), folder.resolve("tokenizer.safetensors"));
            Map<String, String> settings = new HashMap<>(RUN);
            settings.put("generate.batch", "1");
            try (SparkSession session = LocalSpark.start(2)) {
                GenerateJob.run(JobContext.of(session, models.recipe(folder.resolve(arguments[1]), settings), true));
            }
        }
    }

    private static JobResult generate(SparkSession session, String name, Map<String, String> settings)
            throws IOException {
        Map<String, String> all = new HashMap<>(RUN);
        all.putAll(settings);
        Recipe recipe = tiny.recipe(folder.resolve(name), all);
        return GenerateJob.run(JobContext.of(session, recipe, true));
    }

    private void awaitFirstShard(String name) {
        Awaitility.await()
                .atMost(Duration.ofSeconds(120))
                .pollInterval(Duration.ofMillis(10))
                .until(() -> shards(name) > 0);
    }

    private int shards(String name) throws IOException {
        try (Stream<Path> files = shardFiles(name)) {
            return (int) files.count();
        }
    }

    private Path firstShard(String name) throws IOException {
        try (Stream<Path> files = shardFiles(name)) {
            return files.sorted().findFirst().orElseThrow();
        }
    }

    private Stream<Path> shardFiles(String name) throws IOException {
        Path output = folder.resolve(name);
        return Files.isDirectory(output)
                ? Files.list(output)
                        .filter(file -> file.getFileName().toString().matches("shard-.*\\.parquet"))
                : Stream.empty();
    }

    private static String npz(String name) throws IOException {
        return new Storage(new Configuration())
                .sha256(folder.resolve(name).resolve(SampleSet.NPZ).toString());
    }
}
