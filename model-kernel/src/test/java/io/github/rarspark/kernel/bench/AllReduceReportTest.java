package io.github.rarspark.kernel.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;

class AllReduceReportTest {
    /** By the definitions of nccl-tests: 8 GB of 8 ranks in 2 s. */
    @Test
    void bandwidthsAreThoseOfTheField() {
        AllReduceReport.Sum sum = AllReduceReport.Sum.of(2_000_000_000L, 0, 2, 8);
        assertThat(sum.bytes()).isEqualTo(8_000_000_000L);
        assertThat(sum.algorithmBandwidth()).isCloseTo(4, within(1e-12));
        assertThat(sum.busBandwidth()).isCloseTo(7, within(1e-12));
    }

    @Test
    void theTableHasOneLineForEachSize() {
        AllReduceReport report = new AllReduceReport(
                "allreduce",
                "rar-s",
                3,
                true,
                "cpu",
                1,
                20,
                List.of(
                        AllReduceReport.Sum.of(1024, 0, 0.0001, 3),
                        AllReduceReport.Sum.of(50_000_000, 26214400, 0.25, 3)));
        assertThat(report.text().lines())
                .containsExactly(
                        "allreduce rar-s, float32 sums in place, cpu, 3 ranks (processes) of 1 threads, mean of 20 runs",
                        "          size        count  buckets         time    algbw    busbw",
                        "           (B)   (elements)    (MiB)         (us)   (GB/s)   (GB/s)",
                        "          4096         1024        -        100.0     0.04     0.05",
                        "     200000000     50000000    25.00     250000.0     0.80     1.07");
    }
}
