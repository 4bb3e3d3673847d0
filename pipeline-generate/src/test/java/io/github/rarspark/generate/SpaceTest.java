package io.github.rarspark.generate;

import static io.github.rarspark.common.testing.JobAssert.assertFails;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.Failures;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.testing.LocalSpark;
import io.github.rarspark.common.testing.SmallDisk;
import io.github.rarspark.conf.Recipe;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** A device on which the archive of all images does not fit is refused before the first image is made. */
@Tag("fault")
class SpaceTest {
    /** 192 bytes each, 3.84 MB together. */
    private static final int IMAGES = 20_000;

    private static final String REFUSAL = ": it takes 3.8 MB or more, and 2.1 MB are free there";

    @RegisterExtension
    private static final LocalSpark SPARK = new LocalSpark(1);

    @TempDir
    private Path folder;

    @Test
    void generate() throws Exception {
        try (SmallDisk disk = SmallDisk.mount(folder, 2 << 20)) {
            Path output = disk.path().resolve("out");
            Map<String, String> settings = Map.of("generate.count", Integer.toString(IMAGES));
            Recipe recipe = TinyModels.write(folder).recipe(output, settings);
            assertFails(ExitCode.UNAVAILABLE, () -> GenerateJob.run(SPARK.context(recipe)))
                    .contains(output + REFUSAL);
            assertThat(output.resolve("shard-00000-of-01667.parquet")).doesNotExist();
        }
    }

    @Test
    void decode() throws Exception {
        Path tokens = folder.resolve("tokens.jsonl");
        String row = "{\"class_id\": 1, \"tokens\": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]}";
        Files.write(tokens, Collections.nCopies(IMAGES, row));
        try (SmallDisk disk = SmallDisk.mount(folder, 2 << 20)) {
            TinyModels models = TinyModels.write(folder);
            Path output = disk.path().resolve("out");
            Map<String, String> settings = Map.of(
                    "decode.tokens", tokens.toString(),
                    "decode.tokenizer", models.tokenizer().toString(),
                    "decode.output", output.toString());
            Recipe recipe = models.recipe(folder.resolve("unused"), settings);
            assertFails(ExitCode.UNAVAILABLE, () -> DecodeJob.run(SPARK.context(recipe)))
                    .contains(output + REFUSAL);
        }
    }

    /** Something else fills the disk after the first shard. */
    @Test
    void aFullDiskKeepsFinishedShards() throws Exception {
        TinyModels models = TinyModels.write(folder);
        Map<String, String> settings = Map.of("generate.count", "400", "generate.shard_images", "4");
        GenerateJob.run(SPARK.context(models.recipe(folder.resolve("undisturbed"), settings)));
        ExecutorService pool = Executors.newSingleThreadExecutor();
        try (SmallDisk disk = SmallDisk.mount(folder, 2 << 20)) {
            Path output = disk.path().resolve("out");
            Path filler = disk.path().resolve("filler");
            Recipe recipe = models.recipe(output, settings);
            Recipe brief = recipe.with(Map.of("claim.lease_seconds", "3"));
            Future<?> filled = pool.submit(() -> fill(filler, output.resolve("shard-00000-of-00100.parquet")));
            assertFails(ExitCode.UNAVAILABLE, () -> GenerateJob.run(SPARK.context(brief)))
                    .contains("no space is left");
            filled.get(60, TimeUnit.SECONDS);
            Files.delete(filler);

            // Released on a full disk, the output is this process's until its lease has passed.
            JobResult result = Awaitility.await()
                    .atMost(Duration.ofSeconds(300))
                    .ignoreExceptionsMatching(e -> Failures.exitCode(e) == ExitCode.TEMPORARY)
                    .until(() -> GenerateJob.run(SPARK.context(recipe)), Objects::nonNull);
            assertThat(result.counts().get("images_resumed")).isBetween(4L, 396L);
            assertThat(output.resolve(SampleSet.NPZ))
                    .hasSameBinaryContentAs(folder.resolve("undisturbed").resolve(SampleSet.NPZ));
        } finally {
            pool.shutdownNow();
        }
    }

    /** Fills a disk as soon as a file is there. */
    private static Void fill(Path filler, Path file) throws IOException {
        Awaitility.await()
                .atMost(Duration.ofSeconds(120))
                .pollInterval(Duration.ofMillis(2))
                .until(() -> Files.exists(file));
        try (OutputStream out = Files.newOutputStream(filler)) {
            while (true) {
                out.write(new byte[1024]);
            }
        } catch (IOException full) {
            assertThat(full).hasMessageContaining("No space left on device");
        }
        return null;
    }
}
