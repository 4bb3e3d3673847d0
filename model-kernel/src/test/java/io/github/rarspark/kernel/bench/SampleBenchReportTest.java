package io.github.rarspark.kernel.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import io.github.rarspark.kernel.rar.RarCost;
import io.github.rarspark.kernel.tensor.Handles;
import io.github.rarspark.kernel.tensor.Precision;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SampleBenchReportTest {
    private static final RarCost.Work WORK = new RarCost.Work(400e9, 20e9);
    private static final MachineRates MACHINE = new MachineRates(50e9, 500e9);

    @AfterEach
    void nothingStaysOpen() {
        assertThat(Handles.live()).isZero();
    }

    private static BenchResult speed(int steps, double... seconds) {
        BenchRequest request = new BenchRequest(
                "rar-b", 8, Precision.BF16, -1, 2, seconds.length, 1, 0, false, new BenchRequest.Ranks(1, false, 0));
        return BenchResult.of("sample", request, seconds, WORK.flop(), steps, 256);
    }

    @Test
    void theFastestRunIsReportedWithTheMedian() {
        BenchResult odd = speed(4, 5, 2, 4);
        assertThat(odd.secondsPerStep()).isEqualTo(0.5);
        assertThat(odd.medianSecondsPerStep()).isEqualTo(1);
        assertThat(speed(4, 5, 2, 4, 3).medianSecondsPerStep()).isEqualTo(3.5 / 4);
        assertThat(speed(4, 2).medianSecondsPerStep()).isEqualTo(0.5);
    }

    /** Four steps in 2 s move 20 GB and compute 400 GFLOP: 10 of 50 GB/s, 200 of 500 GFLOP/s. */
    @Test
    void sharesAreThoseOfTheFastestRun() {
        SampleBenchReport report = SampleBenchReport.of(speed(4, 5, 2, 4), WORK, MACHINE);
        assertThat(report.bytesPerStep()).isEqualTo(5e9);
        assertThat(report.flopPerStep()).isEqualTo(100e9);
        assertThat(report.memoryShare()).isCloseTo(0.2, within(1e-12));
        assertThat(report.gemmShare()).isCloseTo(0.4, within(1e-12));
        assertThat(report.text().lines())
                .containsExactly(
                        "sample rar-b, batch 8, bf16, cpu, 2 threads: 4.000 images/s, 0.5000 s/step (median 1.000), 200.0"
                                + " GFLOP/s (first 4 of 256 steps)",
                        "                   per step   per second      machine   share",
                        "memory (GB)           5.000        10.00        50.00   20.0%",
                        "products (GFLOP)      100.0        200.0        500.0   40.0%");
    }

    @Test
    void aFigureOfAllStepsIsOfWholeImages() {
        assertThat(speed(256, 2).text()).endsWith(" (whole images, 256 steps)");
    }

    /** No machine reads less than a tenth of a gigabyte per second, or a hundred terabytes. */
    @ParameterizedTest
    @EnumSource
    void theMachineIsMeasured(Precision precision) {
        MachineRates rates = MachineRates.measure(Device.cpu(), precision, 1);
        assertThat(rates.memoryBytesPerSecond()).isBetween(1e8, 1e14);
        assertThat(rates.gemmFlopPerSecond()).isBetween(1e8, 1e16);
    }
}
