package io.github.rarspark.kernel.bench;

import java.util.Arrays;
import java.util.Locale;

/**
 * The throughput of work on single images, on the CPU.
 *
 * @param what the benchmark's name
 * @param size the image's width and height, or its file
 * @param fileBytes the length of the image's file
 * @param batch images per run and thread
 * @param threads threads that work on an image each
 * @param imagesPerSecond of all threads in the fastest run
 * @param processorSecondsPerImage seconds that an image occupies a core, of the run where that is least
 * @param java the JVM, whose libraries decode
 * @param runs images per second of each timed run
 */
public record ImageBenchReport(
        String what,
        String size,
        int fileBytes,
        int batch,
        int threads,
        double imagesPerSecond,
        double processorSecondsPerImage,
        String java,
        double[] runs)
        implements BenchReport {

    /** The report of timed runs, of which the processor's nanoseconds also count the warm-up before them. */
    static ImageBenchReport of(
            String what, BenchRequest request, int fileBytes, double[] seconds, long[] processorNanos) {
        int images = request.batch() * request.threads();
        double[] runs = Arrays.stream(seconds).map(s -> images / s).toArray();
        long least = Arrays.stream(processorNanos).skip(request.warmup()).min().orElseThrow();
        return new ImageBenchReport(
                what,
                request.size(),
                fileBytes,
                request.batch(),
                request.threads(),
                Arrays.stream(runs).max().orElseThrow(),
                least / 1e9 / images,
                System.getProperty("java.vendor") + " " + Runtime.version(),
                runs);
    }

    @Override
    public String text() {
        return String.format(
                Locale.ROOT,
                "%s %s (%d bytes), %d threads: %.4g images/s, %.4g ms of a core per image (%s)",
                what,
                size,
                fileBytes,
                threads,
                imagesPerSecond,
                1000 * processorSecondsPerImage,
                java);
    }
}
