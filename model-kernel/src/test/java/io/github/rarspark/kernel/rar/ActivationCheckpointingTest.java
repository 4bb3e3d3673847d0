package io.github.rarspark.kernel.rar;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import io.github.rarspark.kernel.tensor.Precision;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.tensor.Torch;
import io.github.rarspark.kernel.testing.ProcessMemory;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Recomputed blocks give the loss and the gradients of blocks that keep their activations, to the bit. */
@Tag("device")
class ActivationCheckpointingTest {

    @TempDir
    Path folder;

    /** The losses of some passes, and the sums of their gradients. */
    private record Outcome(List<Float> losses, List<float[]> gradients) {}

    @ParameterizedTest
    @CsvSource({
        "ADALN, FP32, 0.1",
        "ADALN, BF16, 0.1",
        "PLAIN, FP32, 0.1",
        "PLAIN, BF16, 0.1",
        "ADALN, FP32, 0",
        "ADALN, BF16, 0"
    })
    void lossAndAccumulatedGradientsAreTheSameBits(Conditioning conditioning, Precision precision, double dropout) {
        RarConfig config =
                new RarConfig(64, 4, 4, 160, TinyRar.TOKENS, TinyRar.CODES, TinyRar.CLASSES, conditioning, true);
        Outcome kept = train(config, precision, dropout, 4, 3, false);
        Outcome recomputed = train(config, precision, dropout, 4, 3, true);

        assertThat(recomputed.losses()).isEqualTo(kept.losses()).doesNotHaveDuplicates();
        List<String> names = List.copyOf(config.parameters().byName().keySet());
        for (int i = 0; i < names.size(); i++) {
            float[] gradient = kept.gradients().get(i);
            assertThat(gradient).as(names.get(i)).isNotEqualTo(new float[gradient.length]);
            assertThat(recomputed.gradients().get(i)).as(names.get(i)).isEqualTo(gradient);
        }
    }

    /** Makes passes of {@code rows}, one more, ... samples. */
    private static Outcome train(
            RarConfig config, Precision precision, double rate, int rows, int passes, boolean checkpointing) {
        try (TinyRar tiny = new TinyRar(config)) {
            TensorScope.requireGradients(tiny.weights.asMap().values());
            RarModel model = new RarModel(config, tiny.weights, precision);
            int before = tiny.manager.getManagedArrays().size();
            List<Float> losses = new ArrayList<>();
            for (int pass = 0; pass < passes; pass++) {
                RarBatch batch = tiny.batch(rows + pass);
                KeyedDropout dropout = KeyedDropout.of(rate, 1, pass, 0, batch.rows());
                try (TensorScope s = TensorScope.training(tiny.manager)) {
                    TrainingLoss loss = model.trainingLoss(s, batch, dropout, checkpointing);
                    loss.backward(s.affine(loss.scored().loss(), 1.0 / passes, 0));
                    losses.add(loss.scored().loss().getFloat());
                }
            }
            assertThat(tiny.manager.getManagedArrays()).as("nothing stays open").hasSize(before);
            try (TensorScope s = TensorScope.inference(tiny.manager)) {
                return new Outcome(
                        losses,
                        tiny.weights.asMap().values().stream()
                                .map(s::gradient)
                                .map(NDArray::toFloatArray)
                                .toList());
            }
        }
    }

    /** Of 16 blocks, one at a time has activations, about 20 MB each; libtorch and the JVM are in both peaks. */
    @Test
    @Timeout(400)
    void thePeakIsThatOfOneBlock() throws IOException, InterruptedException {
        long kept = peakBytes(false);
        long recomputed = peakBytes(true);
        assertThat(kept - recomputed)
                .as("%,d bytes less than %,d", recomputed, kept)
                .isGreaterThan(200_000_000);
    }

    private long peakBytes(boolean checkpointing) throws IOException, InterruptedException {
        Path output = folder.resolve("peak-" + checkpointing);
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xms64m",
                        "-Xmx64m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
                        OnePass.class.getName(),
                        Boolean.toString(checkpointing))
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        try {
            assertThat(process.waitFor(180, TimeUnit.SECONDS))
                    .as("ended in time")
                    .isTrue();
        } finally {
            process.destroyForcibly();
        }
        String printed = Files.readString(output, StandardCharsets.UTF_8);
        assertThat(process.exitValue()).as(printed).isZero();
        return Long.parseLong(printed.strip());
    }

    /** Makes a training pass in a process of its own and prints the process's largest resident memory, in bytes. */
    static final class OnePass {
        private OnePass() {}

        public static void main(String[] args) {
            Torch.setIntraOpThreads(1);
            RarConfig config = RarConfig.of(32, 16, 8, 64, TinyRar.TOKENS, TinyRar.CODES, TinyRar.CLASSES);
            train(config, Precision.FP32, 0.1, 64, 1, Boolean.parseBoolean(args[0]));
            System.out.println(ProcessMemory.bytes("VmHWM"));
        }
    }
}
