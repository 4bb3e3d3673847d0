package io.github.rarspark.tokenize;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.run.Manifest;
import io.github.rarspark.common.testing.Jvm;
import io.github.rarspark.common.testing.LocalCluster;
import io.github.rarspark.common.testing.LocalSpark;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.Recipes;
import io.github.rarspark.kernel.image.PngEncoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.spark.sql.SparkSession;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The bytes are the same on any cluster, and whoever is killed. */
@Tag("clusters")
@Tag("fault")
@Timeout(300)
class TokenizeClusterTest {
    private static final int SHARDS = 120;

    @TempDir
    private static Path folder;

    private static TokenizeFixture fixture;
    private static Path expected;

    @BeforeAll
    static void tokenizeOnThreads() throws IOException {
        fixture = new TokenizeFixture(folder);
        for (int i = TokenizeFixture.IMAGES; i < SHARDS; i++) {
            Path image = fixture.input.resolve("pear").resolve(i + ".png");
            Files.write(image, PngEncoder.encode(TokenizeFixture.image(i)));
        }
        // Bad images are in the footers of shards.
        Files.writeString(fixture.input.resolve("pear/100.png"), "no picture");
        expected = folder.resolve("threads");
        try (SparkSession session = LocalSpark.start(2)) {
            run(session, recipe(expected, "16"));
        }
        assertThat(fixture.shards(expected)).hasSize(SHARDS);
    }

    private static Recipe recipe(Path output, String batch) {
        return fixture.recipe(
                "tokenize.output", output.toString(),
                "tokenize.shard_images", "1",
                "tokenize.batch", batch,
                "tokenize.decode_threads", "2",
                "image.crops", "ten-crop");
    }

    private static JobResult run(SparkSession session, Recipe recipe) throws IOException {
        return TokenizeJob.run(JobContext.of(session, recipe, true));
    }

    @Test
    void aKilledExecutorIsReplaced() throws Exception {
        Path output = folder.resolve("executor");
        ExecutorService pool = Executors.newSingleThreadExecutor();
        try (SparkSession session = LocalCluster.start(2, 1, Map.of())) {
            Future<JobResult> run = pool.submit(() -> run(session, recipe(output, "3")));
            awaitFirstShard(output);
            ProcessHandle executor = LocalCluster.executors().get(0);
            assertThat(executor.destroyForcibly()).isTrue();
            assertThat(shards(output)).as("in the middle of the run").isLessThan(SHARDS);
            assertThat(run.get(240, TimeUnit.SECONDS).counts())
                    .containsEntry("rows", 10L * (SHARDS - 1))
                    .containsEntry("bad", 1L);
        } finally {
            pool.shutdownNow();
        }
        assertSame(output);
    }

    @Test
    void aKilledDriversWorkIsContinued() throws Exception {
        Path output = folder.resolve("driver");
        Path recipe = Files.writeString(
                folder.resolve("recipe.yaml"), recipe(output, "1").toYaml());
        Process driver = Jvm.of(List.of("-Xmx768m"), Driver.class.getName(), recipe.toString())
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(folder.resolve("driver.txt").toFile())
                .start();
        awaitFirstShard(output);
        driver.destroyForcibly();
        assertThat(driver.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(shards(output)).as("in the middle of the run").isBetween(1, SHARDS - 1);
        assertThat(output.resolve(JobResult.NAME)).doesNotExist();
        try (SparkSession session = LocalSpark.start(2)) {
            run(session, recipe(output, "32"));
        }
        assertSame(output);
    }

    /** A driver in a process of its own; its argument is a recipe. */
    static final class Driver {
        private Driver() {}

        public static void main(String[] arguments) throws IOException {
            Path file = Path.of(arguments[0]);
            try (SparkSession session = LocalSpark.start(2)) {
                run(session, Recipe.resolve(Recipes.parse(Files.readString(file), file.toString())));
            }
        }
    }

    private static void assertSame(Path output) throws IOException {
        assertThat(fixture.shards(output)).isEqualTo(fixture.shards(expected));
        for (String name : List.of(Manifest.NAME, "quarantine.jsonl")) {
            assertThat(output.resolve(name)).hasSameTextualContentAs(expected.resolve(name));
        }
    }

    private static void awaitFirstShard(Path output) {
        Awaitility.await()
                .atMost(Duration.ofSeconds(120))
                .pollInterval(Duration.ofMillis(10))
                .until(() -> shards(output) > 0);
    }

    private static int shards(Path output) throws IOException {
        if (!Files.isDirectory(output)) {
            return 0;
        }
        try (var files = Files.list(output)) {
            return (int) files.filter(file -> file.getFileName().toString().startsWith("part-"))
                    .count();
        }
    }
}
