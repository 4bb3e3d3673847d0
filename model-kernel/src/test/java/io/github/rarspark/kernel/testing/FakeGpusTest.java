package io.github.rarspark.kernel.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.rarspark.kernel.error.NativeException;
import io.github.rarspark.kernel.tensor.DeterministicMode;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.tensor.Torch;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** That the devices refuse what CUDA's refuse, without which other tests would show nothing. */
@Tag("gpu")
class FakeGpusTest {
    private static void withScopes(Work work) {
        try (NDManager manager = NDManager.newBaseManager(Device.gpu(0));
                NDManager other = NDManager.newBaseManager(Device.gpu(1));
                NDManager host = NDManager.newBaseManager(Device.cpu());
                TensorScope s = TensorScope.inference(manager);
                TensorScope second = TensorScope.inference(other);
                TensorScope cpu = TensorScope.inference(host)) {
            work.run(s, second, cpu);
        }
    }

    private interface Work {
        void run(TensorScope gpu, TensorScope otherGpu, TensorScope cpu);
    }

    @Test
    void theLibraryWasBuiltFromItsSources() throws Exception {
        assertThat(FakeGpus.builtFrom())
                .as("rebuild it with mvn -Pnative")
                .isEqualTo(SourceHash.of(Path.of("src/test/native")));
    }

    @Test
    void thereAreTwoAndTheFirstIsTheDefault() {
        assertThat(Torch.gpus()).isEqualTo(2);
        assertThat(Engine.getEngine("PyTorch").defaultDevice()).isEqualTo(Device.gpu(0));
    }

    @Test
    void tensorsOfDifferentDevicesAreAnError() {
        withScopes((s, second, cpu) -> {
            NDArray x = s.zeros(2, 2);
            for (NDArray y : List.of(second.zeros(2, 2), cpu.zeros(2, 2))) {
                assertThatThrownBy(() -> s.matmul(x, y))
                        .isInstanceOf(NativeException.class)
                        .hasMessageContaining("Expected all tensors to be on the same device");
            }
        });
    }

    @Test
    void deterministicModeRefusesToAddFloatingPointNumbersUp() {
        withScopes((s, second, cpu) -> {
            NDArray x = s.zeros(2, 2);
            x.cumSum(0).close();
            try (DeterministicMode deterministic = DeterministicMode.open()) {
                assertThatThrownBy(() -> x.cumSum(0)).hasMessageContaining("cumsum_cuda");
            }
        });
    }

    @Test
    void whatTheHostWaitsForIsCounted() {
        withScopes((s, second, cpu) -> {
            Map<String, Long> counts = FakeGpus.countsOf(() -> {
                NDArray x = s.affine(s.floats(new float[] {1, 2, 3}, 3), 2, 0);
                assertThat(x.toFloatArray()).containsExactly(2, 4, 6);
                Torch.await(s.device());
            });
            assertThat(counts)
                    .containsEntry("aten::mul", 1L)
                    .containsEntry("copy to device", 1L)
                    .containsEntry("copy to device, bytes", 12L)
                    .containsEntry("copy to host", 1L)
                    .containsEntry("copy to host, bytes", 12L)
                    .containsEntry("synchronize", 1L)
                    .doesNotContainKeys("wait for a copy to device", "aten::_local_scalar_dense");
        });
    }

    /** Prints how many GPUs a process has. */
    static final class Count {
        public static void main(String[] args) {
            System.out.println("gpus " + Torch.gpus());
        }
    }

    @ParameterizedTest
    @CsvSource({"'0,1', 2", "1, 1", "'', 0", "7, 0"})
    void aProcessHasTheVisibleOnes(String visible, int expected, @TempDir Path folder) throws Exception {
        Path output = folder.resolve("output"); // a pipe could only be read without a limit
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(FakeGpus.javaOptions());
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Count.class.getName()));
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile());
        builder.environment().put("CUDA_VISIBLE_DEVICES", visible);
        Process process = builder.start();
        try {
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        } finally {
            process.destroyForcibly();
        }
        assertThat(output).content().contains("gpus " + expected);
    }
}
