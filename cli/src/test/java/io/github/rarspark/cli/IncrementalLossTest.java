package io.github.rarspark.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.Jvm;
import io.github.rarspark.common.testing.LocalSpark;
import io.github.rarspark.common.testing.Processes;
import io.github.rarspark.common.testing.TinyPipeline;
import io.github.rarspark.common.tokens.TokenShards;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.Recipes;
import io.github.rarspark.kernel.image.PngEncoder;
import io.github.rarspark.kernel.image.RgbImage;
import io.github.rarspark.tokenize.TokenizeJob;
import io.github.rarspark.train.TrainJob;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** A driver is killed while it adds the second of three generations; the same command goes on, and all are trained on. */
@Tag("fault")
@Timeout(600)
class IncrementalLossTest {
    private static final int NEW_IMAGES = 150;

    @RegisterExtension
    private static final LocalSpark SPARK = new LocalSpark(2);

    @RegisterExtension
    final Processes processes = new Processes();

    @TempDir
    private Path folder;

    private final Storage storage = new Storage(new Configuration());
    private TinyPipeline tiny;

    @BeforeEach
    void writePipeline() throws IOException {
        tiny = TinyPipeline.write(folder);
    }

    @Test
    void whatIsThereStaysAndTheRestIsMadeOnce() throws Exception {
        Path output = folder.resolve("tokens");
        Path undisturbed = folder.resolve("undisturbed");
        tokenize(output);
        tokenize(undisturbed);
        Map<String, String> first = data(output);

        addImages("second", NEW_IMAGES);
        Process driver = startDriver(output);
        Awaitility.await()
                .atMost(Duration.ofSeconds(120))
                .pollInterval(Duration.ofMillis(10))
                .until(() -> shards(output, 1) > 0 || !driver.isAlive());
        driver.destroyForcibly();
        assertThat(driver.waitFor(30, TimeUnit.SECONDS)).isTrue();
        long finished = shards(output, 1);
        assertThat(finished).as("in the middle of the generation").isBetween(1L, NEW_IMAGES - 1L);
        assertThat(output.resolve("result.json")).doesNotExist();
        assertThat(data(output)).containsAllEntriesOf(first);
        assertThat(TokenShards.open(storage, output.toString()).rows()).isEqualTo(60);

        assertThat(tokenize(output).counts()).containsEntry("images_new", (long) NEW_IMAGES);
        tokenize(undisturbed);
        assertThat(data(output)).isEqualTo(data(undisturbed));
        addImages("third", 7);
        assertThat(tokenize(output).counts())
                .containsEntry("generations", 3L)
                .containsEntry("images", 30L + NEW_IMAGES + 7);
        tokenize(undisturbed);
        assertThat(data(output)).isEqualTo(data(undisturbed));
        first.remove("_manifest.json");
        assertThat(data(output)).containsAllEntriesOf(first);

        JobResult trained = train(output, "run");
        assertThat(trained.counts()).containsEntry("steps", 4L);
        train(undisturbed, "other");
        assertThat(folder.resolve("run/model.safetensors"))
                .hasSameBinaryContentAs(folder.resolve("other/model.safetensors"));
        assertThat(folder.resolve("run/_plan.json"))
                .content()
                .contains(TokenShards.open(storage, output.toString()).sha256());
    }

    /** The files that readers trust or that a manifest lists, with their hashes. */
    private Map<String, String> data(Path output) throws IOException {
        Map<String, String> hashes = new TreeMap<>();
        for (String name : storage.list(output.toString())) {
            if (name.matches("(part|_manifest|_listing|quarantine).*")) {
                hashes.put(name, storage.sha256(output.resolve(name).toString()));
            }
        }
        return hashes;
    }

    private static long shards(Path output, int generation) throws IOException {
        try (Stream<Path> files = Files.list(output)) {
            return files.filter(file -> file.getFileName().toString().startsWith("part-00" + generation))
                    .count();
        }
    }

    private void addImages(String name, int count) throws IOException {
        Random random = new Random(name.hashCode());
        for (int i = 0; i < count; i++) {
            byte[] pixels = new byte[RgbImage.CHANNELS * 64];
            random.nextBytes(pixels);
            Files.write(
                    tiny.images().resolve("class-" + i % 3).resolve(name + i + ".png"),
                    PngEncoder.encode(new RgbImage(8, 8, pixels)));
        }
    }

    private Map<String, String> settings(Path output) {
        return Map.of(
                "tokenize.input", tiny.images().toString(),
                "tokenize.tokenizer", tiny.tokenizer().toString(),
                "tokenize.output", output.toString(),
                "tokenize.incremental", "true",
                "tokenize.shard_images", "1");
    }

    private Recipe recipe(Map<String, String> settings) throws IOException {
        return Recipe.resolve(Recipes.parse(Files.readString(tiny.recipe()), "tiny"))
                .with(settings);
    }

    private JobResult tokenize(Path output) throws IOException {
        return TokenizeJob.run(SPARK.context(recipe(settings(output))));
    }

    private JobResult train(Path tokens, String name) throws IOException {
        return TrainJob.run(SPARK.context(recipe(Map.of(
                "train.tokens", tokens.toString(),
                "train.output", folder.resolve(name).toString(),
                "train.ranks", "2",
                "train.batch", "8",
                "train.steps", "4",
                "train.warmup_steps", "1",
                "train.anneal_start", "1",
                "train.anneal_end", "3"))));
    }

    /** A driver in a process of its own. */
    private Process startDriver(Path output) throws IOException {
        Stream<String> options = settings(output).entrySet().stream()
                .flatMap(setting -> Stream.of("--set", setting.getKey() + "=" + setting.getValue()));
        String[] arguments = Stream.concat(
                        Stream.of(
                                "tokenize",
                                "--master",
                                "local[1]",
                                "--recipe",
                                tiny.recipe().toString()),
                        options)
                .toArray(String[]::new);
        ProcessBuilder process = Jvm.of(List.of("-Xmx768m"), Main.class.getName(), arguments);
        process.environment().put("SPARK_LOCAL_IP", "127.0.0.1");
        return processes.start(process.redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(folder.resolve("driver.txt").toFile()));
    }
}
