package io.github.rarspark.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.GatedFiles;
import io.github.rarspark.common.testing.LocalSpark;
import io.github.rarspark.kernel.tensor.Handles;
import io.github.rarspark.kernel.weights.TensorFile;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which checkpoints a run makes, keeps, and resumes from. Each has 12 updates and a checkpoint every 4. */
@Timeout(300)
class CheckpointsTest {
    @RegisterExtension
    private static final LocalSpark SPARK = new LocalSpark(2);

    @TempDir
    private Path folder;

    private String tokens;
    private Path output;

    @BeforeEach
    void makeTokens() throws IOException {
        tokens = Runs.tokens(folder);
        output = folder.resolve("run");
    }

    private JobResult train(String... keysAndValues) throws IOException {
        return TrainJob.run(SPARK.context(Runs.recipe(tokens, output, keysAndValues)));
    }

    private List<String> steps() throws IOException {
        try (Stream<Path> all = Files.list(output.resolve("checkpoints"))) {
            return all.map(path -> path.getFileName().toString())
                    .filter(name -> name.startsWith("step-"))
                    .map(name -> name.replaceAll("step-0*(\\d+)-.*", "$1"))
                    .sorted((a, b) -> Integer.compare(Integer.parseInt(a), Integer.parseInt(b)))
                    .toList();
        }
    }

    private Path checkpoint(int step) throws IOException {
        return checkpoint(output, step);
    }

    private static Path checkpoint(Path run, int step) throws IOException {
        try (Stream<Path> all = Files.list(run.resolve("checkpoints"))) {
            return all.filter(path -> path.getFileName().toString().startsWith("step-%09d-".formatted(step)))
                    .findFirst()
                    .orElseThrow();
        }
    }

    @Test
    void theNewestAreKeptAndMultiples() throws IOException {
        train("train.checkpoint_every", "2", "train.keep_last", "2", "train.keep_every", "3");
        assertThat(steps()).containsExactly("6", "10", "12");
    }

    @Test
    void whatWasRefusedIsDeletedOnceThereIsAnotherToResumeFrom() throws IOException {
        train();
        reopen();
        for (int damaged : List.of(8, 12)) {
            Files.delete(checkpoint(damaged).resolve("state.json"));
        }
        train("train.keep_last", "0", "train.checkpoint_every", "3");
        assertThat(steps()).containsExactly("4", "6", "9", "12");
        assertThat(checkpoint(12).getFileName().toString()).startsWith("step-000000012-a2");
    }

    @Test
    void allAreKeptOnDemand() throws IOException {
        train("train.checkpoint_every", "2", "train.keep_last", "0");
        assertThat(steps()).containsExactly("2", "4", "6", "8", "10", "12");
    }

    @Test
    void minutesMakeCheckpointsBetweenThoseOfSteps() throws IOException {
        train("train.checkpoint_every", "12", "train.checkpoint_minutes", "1e-9", "train.keep_last", "0");
        assertThat(steps()).hasSize(12);
        assertThat(Handles.live()).isZero();
    }

    /** The weights have moved on when those of the checkpoint are written. */
    @Test
    void theTrainingGoesOnWhileACheckpointIsWritten() throws Exception {
        Path tokenizer = Runs.tokenizer(folder.resolve("tokenizer.safetensors"), Runs.CODES);
        String[] pictures = {"train.tokenizer", tokenizer.toString(), "train.sample_every", "6"};
        train(pictures);
        Path undisturbed = output;
        output = folder.resolve("slow");
        Path gate = folder.resolve("gate");
        Configuration configuration = new Configuration();
        GatedFiles.closed(gate, "checkpoints/step-000000004").forEach(configuration::set);
        JobContext context = SPARK.context(Runs.recipe(tokens, output, pictures));
        ExecutorService pool = Executors.newSingleThreadExecutor();
        try {
            Future<JobResult> run = pool.submit(() -> TrainJob.run(
                    new JobContext(context.session(), new Storage(configuration), context.recipe(), true)));
            GatedFiles.awaitWriter(gate, run);
            Awaitility.await()
                    .atMost(Duration.ofSeconds(60))
                    .until(() -> Files.exists(output.resolve("samples/step-000000006.png")));
            assertThat(gate).exists();
            assertThat(output.resolve("checkpoints/LAST")).doesNotExist();
            Files.delete(gate);
            run.get(60, TimeUnit.SECONDS);
        } finally {
            pool.shutdownNow();
        }
        for (int step : List.of(4, 8, 12)) {
            for (String file : List.of("model.safetensors", "optimizer.safetensors")) {
                assertThat(checkpoint(output, step).resolve(file))
                        .hasSameBinaryContentAs(checkpoint(undisturbed, step).resolve(file));
            }
        }
    }

    /** What a rank leaves that was killed while it wrote. */
    @Test
    void unfinishedOnesAreDeletedWhenTheRunResumes() throws IOException {
        train();
        reopen();
        Files.delete(checkpoint(12).resolve("manifest.json"));
        Files.delete(checkpoint(12).resolve("optimizer.safetensors"));
        Path unfinished = checkpoint(12);
        train();
        assertThat(unfinished).doesNotExist();
        assertThat(steps()).containsExactly("4", "8", "12");
    }

    @ParameterizedTest
    @ValueSource(strings = {"model.safetensors", "optimizer.safetensors", "state.json", "manifest.json"})
    void oneWithATruncatedFileIsRefusedAndNamedAndTheRunEndsWithTheSameBits(String file) throws IOException {
        train();
        byte[] trained = Runs.model(output);
        reopen();
        Path damaged = checkpoint(12).resolve(file);
        long length = Files.size(damaged);
        try (FileChannel channel = FileChannel.open(damaged, StandardOpenOption.WRITE)) {
            channel.truncate(length / 2);
        }
        Files.writeString(output.resolve("checkpoints/LAST"), "step-000000099-a1-r0-00000000\n");

        JobResult result = train();
        String reason = file.equals("manifest.json")
                ? "malformed JSON"
                : file + " has " + length / 2 + " bytes instead of " + length;
        assertThat(result.warnings())
                .singleElement()
                .asString()
                .contains(damaged.getParent().getFileName() + " is corrupt (")
                .contains(reason)
                .endsWith("; training resumed from step 8");
        assertThat(Runs.model(output)).isEqualTo(trained);
    }

    @Test
    void averagesOfTheWeightsAreResumedAndPublished() throws IOException {
        String[] averaged = {"train.ema_decay", "0.5", "train.keep_last", "0", "train.checkpoint_every", "1"};
        train(averaged);
        Path published = output.resolve("ema.safetensors");
        byte[] averages = Files.readAllBytes(published);
        assertThat(published).hasSameBinaryContentAs(checkpoint(12).resolve("ema.safetensors"));
        assertThat(TensorFile.open(published).metadata())
                .isEqualTo(TensorFile.open(output.resolve("model.safetensors")).metadata());
        float[] expected = weights(11, "ema.safetensors");
        float[] last = weights(12, "model.safetensors");
        float[] actual = weights(12, "ema.safetensors");
        for (int i = 0; i < last.length; i++) {
            assertThat(actual[i]).isCloseTo((expected[i] + last[i]) / 2, within(1e-6f));
        }
        assertThat(actual).isNotEqualTo(last);

        reopen();
        for (int later = 9; later <= 12; later++) {
            Files.delete(checkpoint(later).resolve("manifest.json"));
        }
        assertThat(train(averaged).counts()).containsAllEntriesOf(Map.of("steps", 12L, "skipped", 0L));
        assertThat(Files.readAllBytes(published)).isEqualTo(averages);
    }

    /** The sum of two ranks' gradients is rounded in another order than that of one. */
    @Test
    void anotherNumberOfRanksGoesOnWithAlmostTheSameLosses() throws IOException {
        train();
        List<Double> two = losses();
        reopen();
        for (int later : List.of(8, 12)) {
            Files.delete(checkpoint(later).resolve("manifest.json"));
        }
        train("train.ranks", "1");
        List<Double> one = losses();
        assertThat(one).isNotEqualTo(two).hasSize(12);
        for (int i = 0; i < two.size(); i++) {
            assertThat(one.get(i)).isCloseTo(two.get(i), within(1e-4));
        }
    }

    private List<Double> losses() throws IOException {
        return Files.readAllLines(output.resolve(MetricsLog.NAME)).stream()
                .map(line -> Double.valueOf(line.replaceAll(".*\"loss\":([^,}]+).*", "$1")))
                .toList();
    }

    private float[] weights(int step, String file) throws IOException {
        return TensorFile.open(checkpoint(step).resolve(file)).floats("lm_head.weight");
    }

    /** Leaves what a driver leaves that dies before it has published the model. */
    private void reopen() throws IOException {
        Files.delete(output.resolve("result.json"));
        Files.delete(output.resolve("model.safetensors"));
    }
}
