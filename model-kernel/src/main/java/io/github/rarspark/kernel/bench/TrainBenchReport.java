package io.github.rarspark.kernel.bench;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonUnwrapped;
import io.github.rarspark.kernel.optim.StepClock;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * The speed of training steps.
 *
 * @param speed of all ranks together
 * @param ranks the number of ranks
 * @param processes whether each rank had a process of its own
 * @param bucketBytes the maximum size of a gradient bucket
 * @param activationCheckpointing whether the blocks were computed anew in the backward pass
 * @param peakMemoryBytes the largest resident memory of rank 0's process
 * @param phases of a step, the mean over runs and ranks
 * @param processorSeconds that rank 0's thread spent on a core per step, the mean over the runs; unlike the others it
 *     does not grow when other work shares the cores
 * @param oneRank the same batch on one rank, alternately with the ranks; null if there is only one
 */
public record TrainBenchReport(
        @JsonUnwrapped BenchResult speed,
        int ranks,
        boolean processes,
        long bucketBytes,
        boolean activationCheckpointing,
        long peakMemoryBytes,
        List<Phase> phases,
        double processorSeconds,
        @JsonInclude(JsonInclude.Include.NON_NULL) OneRank oneRank)
        implements BenchReport {
    /**
     * A part of a training step.
     *
     * @param phase its name
     * @param seconds per step
     * @param share of the step
     */
    public record Phase(String phase, double seconds, double share) {
        /** @param seconds of each {@link StepClock.Phase}, in their order */
        static List<Phase> of(double[] seconds) {
            double total = Arrays.stream(seconds).sum();
            return Arrays.stream(StepClock.Phase.values())
                    .map(phase -> new Phase(phase.label(), seconds[phase.ordinal()], seconds[phase.ordinal()] / total))
                    .toList();
        }
    }

    /**
     * One rank with as many threads as each of the others.
     *
     * @param imagesPerSecond of the fastest run
     * @param runs images per second of each run
     * @param phases of a step, the mean over the runs
     * @param processorSeconds that its thread spent on a core per step, the mean over the runs
     * @param speedup the speed of all ranks over that of one, both of their fastest runs
     */
    public record OneRank(
            double imagesPerSecond, double[] runs, List<Phase> phases, double processorSeconds, double speedup) {}

    @Override
    public String text() {
        StringBuilder text = new StringBuilder(speed.text());
        text.append(String.format(
                Locale.ROOT, "%n%s", new BenchRequest.Ranks(ranks, processes, bucketBytes).describe(speed.threads())));
        if (oneRank != null) {
            text.append(String.format(
                    Locale.ROOT,
                    ": %.3g times one rank, which has %.4g images/s",
                    oneRank.speedup(),
                    oneRank.imagesPerSecond()));
        }
        text.append(String.format(
                Locale.ROOT,
                "%npeak memory of %s %.2f GB%s",
                processes ? "rank 0's process" : "the process",
                peakMemoryBytes / 1e9,
                activationCheckpointing ? ", with activation checkpointing" : ""));
        text.append(String.format(Locale.ROOT, "%n%-12s %10s %7s", "phase", "ms/step", "share"));
        if (oneRank != null) {
            text.append(String.format(Locale.ROOT, " %10s %7s", "one rank", "share"));
        }
        for (int i = 0; i < phases.size(); i++) {
            text.append(String.format(Locale.ROOT, "%n%-12s", phases.get(i).phase()));
            append(text, phases.get(i));
            if (oneRank != null) {
                append(text, oneRank.phases().get(i));
            }
        }
        text.append(String.format(Locale.ROOT, "%n%-12s %10.2f", "on a core", processorSeconds * 1e3));
        if (oneRank != null) {
            text.append(String.format(Locale.ROOT, " %18.2f", oneRank.processorSeconds() * 1e3));
        }
        return text.toString();
    }

    private static void append(StringBuilder text, Phase phase) {
        text.append(String.format(Locale.ROOT, " %10.2f %6.1f%%", phase.seconds() * 1e3, phase.share() * 100));
    }
}
