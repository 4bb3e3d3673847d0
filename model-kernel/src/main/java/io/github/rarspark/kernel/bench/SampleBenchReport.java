package io.github.rarspark.kernel.bench;

import com.fasterxml.jackson.annotation.JsonUnwrapped;
import io.github.rarspark.kernel.rar.RarCost;
import java.util.Locale;

/**
 * The speed of sampling beside that of the machine. A step is that of the whole batch, with both rows of each image; the
 * first one reads two positions, so its cost is the mean over the steps of a run.
 *
 * @param speed of the runs
 * @param bytesPerStep what a step reads from memory and writes to it at least, as of {@link RarCost#sampling}
 * @param flopPerStep the floating-point operations of its matrix products
 * @param machine what the machine reaches, measured before the runs
 * @param memoryShare the bytes per second of the fastest run over those of the machine; may exceed 1 where the weights fit
 *     the caches
 * @param gemmShare the operations per second of the fastest run over those of the machine
 */
public record SampleBenchReport(
        @JsonUnwrapped BenchResult speed,
        double bytesPerStep,
        double flopPerStep,
        @JsonUnwrapped MachineRates machine,
        double memoryShare,
        double gemmShare)
        implements BenchReport {
    static SampleBenchReport of(BenchResult speed, RarCost.Work work, MachineRates machine) {
        double bytes = work.bytes() / speed.steps();
        double flop = work.flop() / speed.steps();
        return new SampleBenchReport(
                speed,
                bytes,
                flop,
                machine,
                bytes / speed.secondsPerStep() / machine.memoryBytesPerSecond(),
                flop / speed.secondsPerStep() / machine.gemmFlopPerSecond());
    }

    @Override
    public String text() {
        return String.format(
                Locale.ROOT,
                "%s%n%-16s %10s %12s %12s %7s%n%s%n%s",
                speed.text(),
                "",
                "per step",
                "per second",
                "machine",
                "share",
                row("memory (GB)", bytesPerStep, machine.memoryBytesPerSecond(), memoryShare),
                row("products (GFLOP)", flopPerStep, machine.gemmFlopPerSecond(), gemmShare));
    }

    private static String row(String what, double perStep, double machinePerSecond, double share) {
        return String.format(
                Locale.ROOT,
                "%-16s %10.4g %12.4g %12.4g %6.1f%%",
                what,
                perStep / 1e9,
                share * machinePerSecond / 1e9,
                machinePerSecond / 1e9,
                share * 100);
    }
}
