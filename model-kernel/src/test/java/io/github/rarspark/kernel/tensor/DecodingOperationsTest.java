package io.github.rarspark.kernel.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import io.github.rarspark.kernel.error.NativeException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DecodingOperationsTest {
    @TempDir
    private Path directory;

    /** Each in a process of its own, since libtorch looks at the processor once. */
    @ParameterizedTest
    @CsvSource({"avx512, avx512", "avx2, avx2", "default, baseline"})
    void everyInstructionSetComputesWhatLibtorchsOperationsDo(String capability, String instructionSet)
            throws Exception {
        List<String> lines = errors(capability);
        assumeTrue(
                lines.get(0).equals(instructionSet),
                "this processor has no " + instructionSet + " but " + lines.get(0) + " only");
        assertThat(lines).hasSize(1 + 2 * 6 * KernelErrors.WIDTHS.length + KernelErrors.CHANNELS.length);
        for (String line : lines.subList(1, lines.size())) {
            double error = Double.parseDouble(line.substring(line.lastIndexOf(' ')));
            // Of eight bits of mantissa, and of the float32 normalization of values around 5.
            assertThat(error).as(line).isLessThan(line.contains("bfloat16") ? 8e-3 : 2e-6);
        }
    }

    private List<String> errors(String capability) throws Exception {
        Path said = directory.resolve(capability);
        ProcessBuilder builder = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
                        KernelErrors.class.getName())
                .redirectOutput(said.toFile());
        builder.environment().put("ATEN_CPU_CAPABILITY", capability);
        Process process = builder.start();
        try {
            assertThat(process.waitFor(120, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).isZero();
        } finally {
            process.destroyForcibly();
        }
        return Files.readAllLines(said);
    }

    @Test
    void shapesThatDoNotFitAreRefused() {
        try (NDManager manager = NDManager.newBaseManager();
                TensorScope s = TensorScope.inference(manager)) {
            Norm norm = new Norm(s.zeros(4), s.zeros(4), 1e-6);
            NDArray cache = s.zeros(2, 3, 5, 4);
            NDArray qkv = s.zeros(2, 1, 36);
            assertThatThrownBy(() -> s.attendCached(qkv, norm, norm, cache, cache, 5))
                    .isInstanceOf(NativeException.class)
                    .hasMessageContaining("a cache [2, 3, 5, 4] has no position 5");
            assertThatThrownBy(() -> s.attendCached(s.zeros(3, 1, 36), norm, norm, cache, cache, 0))
                    .hasMessageContaining("for heads [3, 1, 36]");
            assertThatThrownBy(() -> s.attendCached(s.to(qkv, DataType.BFLOAT16), norm, norm, cache, cache, 0))
                    .hasMessageContaining("expected a contiguous BFloat16 tensor");

            NDArray x = s.zeros(2, 1, 4);
            ModulationRows rows = new ModulationRows(s.zeros(1, 3, 8), s.longs(new long[] {0, 0}, 2), 2);
            assertThatThrownBy(() -> s.modulatedNorm(x, norm, DataType.FLOAT32, rows, 1, 2))
                    .hasMessageContaining("modulations [1, 3, 8] have no position 2 for 2 rows of width 4");
            ModulationRows unknown = new ModulationRows(rows.table_UPM(), s.longs(new long[] {0, 1}, 2), 2);
            assertThatThrownBy(() -> s.modulatedResidual(x, x, unknown, 1))
                    .hasMessageContaining("row 1 has no modulations");
            assertThatThrownBy(() -> s.modulatedResidual(x, s.zeros(2, 1, 5), rows, 1))
                    .hasMessageContaining("cannot add a branch");
        }
    }

    @Test
    void aPackedWeightGivesTheSameRowInEveryBatchAndOnAnyNumberOfThreads() {
        int threads = Torch.intraOpThreads();
        try (NDManager manager = NDManager.newBaseManager();
                TensorScope s = TensorScope.inference(manager)) {
            float[] values = new float[300 * 64];
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) Math.sin(i * 0.37);
            }
            NDArray weight = s.floats(values, 300, 64);
            NDArray bias = s.floats(Arrays.copyOf(values, 300), 300);
            NDArray x = s.floats(Arrays.copyOf(values, 256 * 64), 256, 64);
            for (DataType type : new DataType[] {DataType.FLOAT32, DataType.BFLOAT16}) {
                NDArray packed = s.packLinear(s.to(weight, type));
                NDArray typedBias = s.to(bias, type);
                NDArray all = s.to(s.linearGelu(x, packed, typedBias), DataType.FLOAT32);
                NDArray plain = s.gelu(s.linear(x, weight, bias));
                assertThat(all.toFloatArray())
                        .containsExactly(plain.toFloatArray(), within(type == DataType.FLOAT32 ? 1e-4f : 0.3f));
                for (int rows : new int[] {1, 2, 3, 7, 16, 33, 64}) {
                    for (int count : new int[] {1, 2}) {
                        Torch.setIntraOpThreads(count);
                        NDArray some =
                                s.to(s.linearGelu(s.narrow(x, 0, 100, rows), packed, typedBias), DataType.FLOAT32);
                        assertThat(some.toFloatArray())
                                .as(rows + " rows, " + count + " threads")
                                .containsExactly(
                                        s.narrow(all, 0, 100, rows).duplicate().toFloatArray());
                    }
                }
            }
        } finally {
            Torch.setIntraOpThreads(threads);
        }
    }
}
