package io.github.rarspark.kernel.bench;

import java.util.Arrays;
import java.util.Locale;

/**
 * A measurement.
 *
 * @param what the benchmark's name
 * @param size the model's size
 * @param batch images per batch
 * @param precision fp32 or bf16
 * @param device cpu or gpu:N
 * @param threads libtorch threads per operation
 * @param imagesPerSecond batch over the seconds of the fastest run; if {@code steps} is less than {@code ofSteps},
 *     of these steps only
 * @param secondsPerStep of the fastest run
 * @param medianSecondsPerStep of all timed runs
 * @param gflopsPerSecond of the products in the fastest run; a multiplication and an addition count as two
 * @param steps the steps of one run
 * @param ofSteps the steps of a full run
 * @param runs images per second of each timed run
 */
public record BenchResult(
        String what,
        String size,
        int batch,
        String precision,
        String device,
        int threads,
        double imagesPerSecond,
        double secondsPerStep,
        double medianSecondsPerStep,
        double gflopsPerSecond,
        int steps,
        int ofSteps,
        double[] runs)
        implements BenchReport {
    static BenchResult of(
            String what, BenchRequest request, double[] seconds, double flopsPerRun, int steps, int ofSteps) {
        double best = Arrays.stream(seconds).min().orElseThrow();
        return new BenchResult(
                what,
                request.size(),
                request.batch(),
                request.precision().label(),
                request.deviceName(),
                request.threads(),
                request.batch() / best,
                best / steps,
                median(seconds) / steps,
                flopsPerRun / best / 1e9,
                steps,
                ofSteps,
                Arrays.stream(seconds).map(s -> request.batch() / s).toArray());
    }

    private static double median(double[] values) {
        double[] sorted = Arrays.stream(values).sorted().toArray();
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    @Override
    public String text() {
        return String.format(
                Locale.ROOT,
                "%s %s, batch %d, %s, %s, %d threads: %.4g images/s, %.4g s/step (median %.4g), %.4g GFLOP/s%s",
                what,
                size,
                batch,
                precision,
                device,
                threads,
                imagesPerSecond,
                secondsPerStep,
                medianSecondsPerStep,
                gflopsPerSecond,
                timed());
    }

    /** Which steps were timed, if a run can have several. */
    private String timed() {
        if (ofSteps == 1) {
            return "";
        }
        return steps < ofSteps
                ? String.format(Locale.ROOT, " (first %d of %d steps)", steps, ofSteps)
                : String.format(Locale.ROOT, " (whole images, %d steps)", steps);
    }
}
