package io.github.rarspark.kernel.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rarspark.kernel.error.CommunicationException;
import io.github.rarspark.kernel.tensor.Precision;
import io.github.rarspark.kernel.testing.FakeGpus;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("gpu")
class GpuBenchTest {
    private static BenchRequest request(int gpu, int repeat, BenchRequest.Ranks ranks) {
        return new BenchRequest("32x2x2x64x16x64", 2, Precision.BF16, gpu, 1, repeat, 1, 0, false, ranks);
    }

    @Test
    void aRunIsOverWhenTheDeviceIsDone() {
        int repeat = 3;
        BenchRequest request = request(1, repeat, new BenchRequest.Ranks(1, false, 1024));
        BenchResult[] result = new BenchResult[1];
        long elsewhere = FakeGpus.allocated(0);
        Map<String, Long> counts = FakeGpus.countsOf(() -> result[0] = RarBench.forward(request));
        assertThat(counts).containsEntry("synchronize", 1L + repeat);
        assertThat(result[0].device()).isEqualTo("gpu:1");
        assertThat(result[0].text()).startsWith("forward 32x2x2x64x16x64, batch 2, bf16, gpu:1, 1 threads: ");
        assertThat(FakeGpus.allocated(0)).isEqualTo(elsewhere);
    }

    /** Of a process each; a group of both trains alternately with the first rank alone. */
    @Test
    void ranksTakeTheGpusFromTheGivenOneOn() {
        TrainBenchReport report = TrainBench.train(request(0, 2, new BenchRequest.Ranks(2, true, 1 << 20)));
        assertThat(report.speed().device()).isEqualTo("gpu:0");
        assertThat(report.ranks()).isEqualTo(2);
        assertThat(report.oneRank().runs()).hasSize(2);
        assertThatThrownBy(() -> TrainBench.train(request(1, 1, new BenchRequest.Ranks(2, true, 1 << 20))))
                .as("there is no GPU 2 for the second rank")
                .isInstanceOf(CommunicationException.class)
                .hasMessageContaining("invalid device ordinal");
    }
}
