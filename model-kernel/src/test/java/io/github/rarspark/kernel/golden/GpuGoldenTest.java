package io.github.rarspark.kernel.golden;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import io.github.rarspark.kernel.tensor.Precision;
import io.github.rarspark.kernel.tensor.Tf32;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Tag("gpu")
class GpuGoldenTest {
    private static final Path GOLDEN = Path.of("src/test/resources/golden");

    private static List<CaseResult> run(int gpu, Precision precision) throws IOException {
        try (NDManager manager = NDManager.newBaseManager(Device.gpu(gpu))) {
            return GoldenSuite.run(GOLDEN, new GoldenRun(manager, precision));
        }
    }

    @ParameterizedTest
    @CsvSource({"0, FP32", "0, BF16", "1, FP32", "1, BF16"})
    void everyCasePasses(int gpu, Precision precision) throws IOException {
        assertThat(run(gpu, precision)).hasSize(8).allSatisfy(result -> assertThat(result.checks())
                .as(result.name())
                .allMatch(Check::passed));
    }

    /** So the tolerances notice it, and it was off in the runs that passed. */
    @Test
    void inTf32TheyFail() throws IOException {
        List<String> failed;
        try (Tf32 tf32 = Tf32.allowed(true)) {
            failed = run(0, Precision.FP32).stream()
                    .filter(result -> !result.passed())
                    .map(CaseResult::kind)
                    .distinct()
                    .toList();
        }
        assertThat(failed).containsExactlyInAnyOrder("inception", "metrics", "rar", "vqgan");
    }
}
