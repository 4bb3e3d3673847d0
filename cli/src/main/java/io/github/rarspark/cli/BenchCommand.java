package io.github.rarspark.cli;

import io.github.rarspark.cli.options.ReportOptions;
import io.github.rarspark.common.ExitCode;
import io.github.rarspark.conf.Near;
import io.github.rarspark.conf.RecipeException;
import io.github.rarspark.kernel.bench.BenchRequest;
import io.github.rarspark.kernel.bench.BenchResult;
import io.github.rarspark.kernel.bench.InceptionBench;
import io.github.rarspark.kernel.bench.RarBench;
import io.github.rarspark.kernel.bench.VqganBench;
import java.io.IOException;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.function.Function;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code bench}: measures the throughput of a part of the pipeline on this machine. */
@Command(name = "bench", sortOptions = false, description = "Measures the throughput of one operation on this machine.")
final class BenchCommand implements Callable<Integer> {

    private static final Map<String, Benchmark> BENCHMARKS = new TreeMap<>(Map.of(
            "sample", new Benchmark("rar-b", RarBench::sample),
            "train", new Benchmark("rar-b", RarBench::train),
            "forward", new Benchmark("rar-b", RarBench::forward),
            "encode", new Benchmark("f16", VqganBench::encode),
            "decode", new Benchmark("f16", VqganBench::decode),
            "features", new Benchmark("inception", InceptionBench::features)));

    /** A benchmark and its default model. */
    private record Benchmark(String defaultSize, Function<BenchRequest, BenchResult> work) {}

    @Spec
    private CommandSpec spec;

    @Mixin
    private ReportOptions options;

    @Parameters(index = "0", paramLabel = "WHAT", description = "sample, train, forward, encode, decode or features.")
    private String what;

    @Option(
            names = "--size",
            paramLabel = "SIZE",
            order = 1,
            description = "A model's name or HIDDENxLAYERSxHEADSxMLPxTOKENSxCODES (default: rar-b; encode, decode: f16;"
                    + " features: inception).")
    private String size;

    @Option(
            names = "--batch",
            paramLabel = "N",
            order = 3,
            defaultValue = "8",
            description = "Images per batch (default: ${DEFAULT-VALUE}).")
    private int batch;

    @Option(
            names = "--precision",
            paramLabel = "P",
            order = 4,
            defaultValue = "fp32",
            description = "fp32 or bf16 (default: ${DEFAULT-VALUE}).")
    private String precision;

    @Option(
            names = "--threads",
            paramLabel = "N",
            order = 5,
            description = "Libtorch threads per operation (default: all cores).")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Option(
            names = "--steps",
            paramLabel = "N",
            order = 6,
            defaultValue = "0",
            description = "Sampling: only the first N steps, 0 for all (default: ${DEFAULT-VALUE}).")
    private int steps;

    @Option(
            names = "--warmup",
            paramLabel = "N",
            order = 7,
            defaultValue = "1",
            description = "Untimed runs before the timed ones (default: ${DEFAULT-VALUE}).")
    private int warmup;

    @Option(
            names = "--repeat",
            paramLabel = "N",
            order = 8,
            defaultValue = "3",
            description = "Timed runs, of which the fastest is reported (default: ${DEFAULT-VALUE}).")
    private int repeat;

    @Override
    public Integer call() throws IOException {
        Benchmark benchmark = BENCHMARKS.get(what);
        if (benchmark == null) {
            String near = Near.clause(what, BENCHMARKS.keySet());
            throw new RecipeException("Unknown benchmark " + what
                    + (near.isEmpty() ? ": give one of " + String.join(", ", BENCHMARKS.keySet()) : near));
        }
        requireAtLeast("--batch", batch, 1);
        requireAtLeast("--threads", threads, 1);
        requireAtLeast("--repeat", repeat, 1);
        requireAtLeast("--warmup", warmup, 0);
        requireAtLeast("--steps", steps, 0);
        options.requireWritable();
        BenchResult result = measure(
                benchmark.work(),
                new BenchRequest(
                        size == null ? benchmark.defaultSize() : size,
                        batch,
                        Compute.precision(precision),
                        threads,
                        repeat,
                        warmup,
                        steps));
        options.write(result);
        if (!options.quiet()) {
            spec.commandLine().getOut().println(result.line());
        }
        return ExitCode.OK.number();
    }

    private static BenchResult measure(Function<BenchRequest, BenchResult> benchmark, BenchRequest request) {
        try {
            return benchmark.apply(request);
        } catch (IllegalArgumentException e) { // the kernel rejects the size
            throw new RecipeException(e.getMessage(), e);
        }
    }

    private static void requireAtLeast(String option, int value, int least) {
        if (value < least) {
            throw new RecipeException("Cannot use " + option + " " + value + ": give at least " + least);
        }
    }
}
