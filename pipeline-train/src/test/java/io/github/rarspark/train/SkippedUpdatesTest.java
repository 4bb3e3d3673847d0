package io.github.rarspark.train;

import static io.github.rarspark.common.testing.JobAssert.assertFails;
import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.KernelSettings;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.testing.LocalSpark;
import io.github.rarspark.kernel.random.EpochOrder;
import io.github.rarspark.kernel.rar.RarConfig;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.weights.NamedTensors;
import io.github.rarspark.kernel.weights.safetensors.Safetensors;
import io.github.rarspark.train.tensorboard.EventReader;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Updates whose gradient is of no use: they are skipped and counted, and too many in a row end the run. */
@Timeout(300)
class SkippedUpdatesTest {
    @RegisterExtension
    private static final LocalSpark SPARK = new LocalSpark(2);

    /** A batch of one sample for each rank; the first class's samples have a loss that is not finite. */
    private static final String[] ONE_EACH = {
        "train.batch",
        "2",
        "train.class_drop",
        "0",
        "train.steps",
        "24",
        "train.anneal_end",
        "8",
        "train.max_skips",
        "24"
    };

    @TempDir
    private Path folder;

    private String tokens;

    @BeforeEach
    void makeTokens() throws IOException {
        tokens = Runs.tokens(folder);
    }

    private JobResult train(Path output, String... keysAndValues) throws IOException {
        return TrainJob.run(SPARK.context(Runs.recipe(tokens, output, keysAndValues)));
    }

    @Test
    void aLargeGradientIsSkippedAndTheRunResumesAfterItWithTheSameBits() throws IOException {
        Path plain = folder.resolve("plain");
        train(plain, ONE_EACH);
        String[] limited = with(ONE_EACH, "train.skip_grad_norm", Double.toString(middleNorm(plain)));

        Path whole = folder.resolve("whole");
        JobResult result = train(whole, limited);
        long skipped = result.counts().get("skipped");
        assertThat(result.warnings()).contains(skipped + " of 24 updates were skipped; the driver's log says why");
        assertThat(Files.readAllLines(whole.resolve(MetricsLog.NAME))).hasSize(24);
        assertThat(Runs.model(whole)).isNotEqualTo(Runs.model(plain));

        long before = skippedUntil(whole, 12);
        assertThat(before).isBetween(1L, 11L);
        assertThat(skipped - before).as("skipped after the checkpoint").isBetween(1L, 11L);
        byte[] trained = Runs.model(whole);
        for (String published : List.of("result.json", "model.safetensors")) {
            Files.delete(whole.resolve(published));
        }
        for (int later : List.of(16, 20, 24)) {
            Files.delete(checkpoint(whole, later).resolve("manifest.json"));
        }
        assertThat(train(whole, limited).counts()).containsEntry("skipped", skipped);
        assertThat(Runs.model(whole)).isEqualTo(trained);

        List<EventReader.Event> events = EventReader.folder(whole);
        assertThat(EventReader.values(events, "skipped"))
                .hasSize(24)
                .last()
                .extracting(EventReader.Value::scalar)
                .isEqualTo((double) skipped);
        assertThat(EventReader.values(events, "warnings"))
                .as("ten of the first driver's before the checkpoint, and those that the second heard again")
                .hasSize((int) (Math.min(10, before) + Math.min(10, skipped - before)))
                .allSatisfy(warning -> assertThat(warning.text())
                        .startsWith("rank 0: The gradient of step " + warning.step() + " has"));
    }

    @Test
    void everyRankSkipsAnUpdateWhenTheLossOfOneIsNotFinite() throws IOException {
        Path init = weightsWithoutFirstClass();
        JobResult result = train(folder.resolve("two"), with(ONE_EACH, "train.init", init.toString()));
        assertThat(result.counts()).containsEntry("skipped", stepsWithFirstClass());
        assertThat(result.counts().get("skipped")).isBetween(1L, 23L);
        assertThat(Runs.model(folder.resolve("two"))).isNotEqualTo(Files.readAllBytes(init));
    }

    @Test
    void tooManyInARowEndTheRunWithAdvice() {
        Path output = folder.resolve("run");
        assertFails(ExitCode.DATA, () -> train(output, "train.skip_grad_norm", "1e-9", "train.max_skips", "3"))
                .contains(
                        "The gradient of step 4 has norm",
                        "(train.skip_grad_norm is 1.0E-9)",
                        "after 4 skipped updates in a row (train.max_skips is 3)",
                        "a larger train.skip_grad_norm or a lower train.lr",
                        "--init");
    }

    @Test
    void aLossThatIsNotFiniteLeavesNoGradientThatIs() {
        try (NDManager manager = NDManager.newBaseManager();
                TensorScope s = TensorScope.training(manager)) {
            NDArray x = manager.create(new float[] {2, 3}, new Shape(2));
            TensorScope.requireGradients(List.of(x));
            NDArray finite = s.sum(s.multiply(x, x), 0);
            s.backward(TrainStep.guarded(s, finite));
            assertThat(s.gradient(x).toFloatArray()).containsExactly(4, 6);
            TensorScope.dropGradients(List.of(x));
            // Its own gradient would be finite.
            s.backward(TrainStep.guarded(s, s.affine(s.sum(s.multiply(x, x), 0), 1, Double.POSITIVE_INFINITY)));
            assertThat(s.gradient(x).toFloatArray()).containsExactly(Float.NaN, Float.NaN);
        }
    }

    private static String[] with(String[] settings, String... more) {
        return Stream.concat(Arrays.stream(settings), Arrays.stream(more)).toArray(String[]::new);
    }

    private static double middleNorm(Path output) throws IOException {
        double[] norms = Files.readAllLines(output.resolve(MetricsLog.NAME)).stream()
                .mapToDouble(line -> Double.parseDouble(line.replaceAll(".*\"gradient_norm\":([^,}]+).*", "$1")))
                .sorted()
                .toArray();
        return DoubleStream.of(norms[norms.length / 2], norms[norms.length / 2 - 1])
                .average()
                .orElseThrow();
    }

    /** Random weights but for the embedding of class 0, whose finite values overflow in the model. */
    private Path weightsWithoutFirstClass() throws IOException {
        RarConfig config =
                KernelSettings.rar(Runs.recipe(tokens, folder.resolve("none")).model());
        Path file = folder.resolve("init.safetensors");
        try (NDManager manager = NDManager.newBaseManager();
                NamedTensors weights = NamedTensors.initial(config.parameters(), 7, manager);
                OutputStream out = Files.newOutputStream(file)) {
            NDArray embedding = weights.get("embeddings.weight");
            float[] values = embedding.toFloatArray();
            int row = Math.toIntExact(embedding.getShape().get(1));
            for (int i = 0; i < row; i++) {
                values[config.space().classId(0) * row + i] = i % 2 == 0 ? 1e30f : -1e30f;
            }
            embedding.set(values);
            Safetensors.write(out, Map.of(), weights.asMap());
        }
        return file;
    }

    private static long stepsWithFirstClass() {
        EpochOrder order = new EpochOrder(0, 0, Runs.SAMPLES);
        return IntStream.range(0, 24)
                .filter(step -> IntStream.of(2 * step, 2 * step + 1)
                        .anyMatch(position -> order.sampleAt(position) % Runs.CLASSES == 0))
                .count();
    }

    private static long skippedUntil(Path output, int step) throws IOException {
        String state = Files.readString(checkpoint(output, step).resolve("state.json"));
        return Long.parseLong(state.replaceAll("(?s).*\"skipped\" : (\\d+).*", "$1"));
    }

    private static Path checkpoint(Path output, int step) throws IOException {
        try (Stream<Path> all = Files.list(output.resolve("checkpoints"))) {
            return all.filter(path -> path.getFileName().toString().startsWith("step-%09d-".formatted(step)))
                    .findFirst()
                    .orElseThrow();
        }
    }
}
