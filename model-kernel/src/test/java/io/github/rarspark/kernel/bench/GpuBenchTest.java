package io.github.rarspark.kernel.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.kernel.tensor.Precision;
import io.github.rarspark.kernel.testing.FakeGpus;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("gpu")
class GpuBenchTest {
    @Test
    void aRunIsOverWhenTheDeviceIsDone() {
        int warmup = 1;
        int repeat = 3;
        BenchRequest request = new BenchRequest(
                "32x2x2x64x16x64",
                2,
                Precision.BF16,
                1,
                1,
                repeat,
                warmup,
                0,
                false,
                new BenchRequest.Ranks(1, false, 1024));
        BenchResult[] result = new BenchResult[1];
        long elsewhere = FakeGpus.allocated(0);
        Map<String, Long> counts = FakeGpus.countsOf(() -> result[0] = RarBench.forward(request));
        assertThat(counts).containsEntry("synchronize", 1L + repeat);
        assertThat(result[0].device()).isEqualTo("gpu:1");
        assertThat(result[0].text()).startsWith("forward 32x2x2x64x16x64, batch 2, bf16, gpu:1, 1 threads: ");
        assertThat(FakeGpus.allocated(0)).isEqualTo(elsewhere);
    }
}
