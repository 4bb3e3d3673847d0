package io.github.rarspark.cli;

import ai.djl.Device;
import io.github.rarspark.cli.options.ReportOptions;
import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.conf.Near;
import io.github.rarspark.conf.RecipeException;
import io.github.rarspark.kernel.bench.AllReduceBench;
import io.github.rarspark.kernel.bench.BenchReport;
import io.github.rarspark.kernel.bench.BenchRequest;
import io.github.rarspark.kernel.bench.ImageBench;
import io.github.rarspark.kernel.bench.InceptionBench;
import io.github.rarspark.kernel.bench.RarBench;
import io.github.rarspark.kernel.bench.TrainBench;
import io.github.rarspark.kernel.bench.VqganBench;
import io.github.rarspark.kernel.tensor.Torch;
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

    private static final int MEBIBYTE = 1 << 20;

    private static final Map<String, Benchmark> BENCHMARKS = new TreeMap<>(Map.of(
            "sample", Benchmark.alone("rar-b", RarBench::sample),
            "train", new Benchmark("rar-b", 1, Integer.MAX_VALUE, 3, TrainBench::train),
            "allreduce", new Benchmark("rar-b", 2, Integer.MAX_VALUE, 20, AllReduceBench::allReduce),
            "forward", Benchmark.alone("rar-b", RarBench::forward),
            "encode", Benchmark.alone("f16", VqganBench::encode),
            "decode", Benchmark.alone("f16", VqganBench::decode),
            "features", Benchmark.alone("inception", InceptionBench::features),
            "jpeg", Benchmark.alone("500x375", ImageBench::jpeg),
            "crops", Benchmark.alone("500x375", ImageBench::crops)));

    /**
     * A benchmark.
     *
     * @param size the default model
     * @param ranks the default number of ranks
     * @param maximumRanks the maximum number of ranks
     * @param repeat the default number of timed runs
     */
    private record Benchmark(
            String size, int ranks, int maximumRanks, int repeat, Function<BenchRequest, ? extends BenchReport> work) {
        static Benchmark alone(String size, Function<BenchRequest, ? extends BenchReport> work) {
            return new Benchmark(size, 1, 1, 3, work);
        }
    }

    @Spec
    private CommandSpec spec;

    @Mixin
    private ReportOptions options;

    @Parameters(
            index = "0",
            paramLabel = "WHAT",
            description =
                    "sample (the tokens of whole images, with guidance), train, allreduce, forward, encode, decode,"
                            + " features, jpeg (files to pixels) or crops (pixels to ten crops).")
    private String what;

    @Option(
            names = "--size",
            paramLabel = "SIZE",
            order = 1,
            description = "A model's name or HIDDENxLAYERSxHEADSxMLPxTOKENSxCODES (default: rar-b; encode, decode: f16;"
                    + " features: inception); of jpeg and crops, WIDTHxHEIGHT or an image file (default: 500x375).")
    private String size;

    @Option(
            names = "--device",
            paramLabel = "D",
            order = 2,
            defaultValue = "cpu",
            description =
                    "cpu, gpu (the first) or gpu:N; of several ranks, the first takes this GPU and the others the next"
                            + " ones (default: ${DEFAULT-VALUE}).")
    private String device;

    @Option(
            names = "--batch",
            paramLabel = "N",
            order = 3,
            defaultValue = "8",
            description = "Images per batch, of all ranks together (default: ${DEFAULT-VALUE}).")
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
            description =
                    "Libtorch threads per operation, of each rank (default: all cores over the ranks); of jpeg and crops,"
                            + " threads with an image each.")
    private Integer threads;

    @Option(
            names = "--steps",
            paramLabel = "N",
            order = 6,
            defaultValue = "0",
            description = "Sample: only the first N steps, 0 for whole images (default: ${DEFAULT-VALUE}).")
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
            description =
                    "Timed runs (default: 3; allreduce: 20). The report gives the fastest and the median; of allreduce"
                            + " the mean.")
    private Integer repeat;

    @Option(
            names = "--ranks",
            paramLabel = "N",
            order = 9,
            description = "Ranks of train (default: 1) and allreduce (default: 2). Several ranks train alternately with"
                    + " one, for comparison.")
    private Integer ranks;

    @Option(
            names = "--processes",
            order = 10,
            description = "Run each rank in a process of its own, as executors with one slot do, rather than in a"
                    + " thread, as local[N] does.")
    private boolean processes;

    @Option(
            names = "--bucket-mb",
            paramLabel = "MB",
            order = 11,
            defaultValue = "25",
            description = "Train and allreduce: megabytes of gradients per all-reduce (default: ${DEFAULT-VALUE}).")
    private double bucketMegabytes;

    @Option(
            names = "--activation-checkpointing",
            order = 12,
            description = "Train: compute the blocks anew in the backward pass, for less memory.")
    private boolean activationCheckpointing;

    @Override
    public Integer call() throws IOException {
        Benchmark benchmark = BENCHMARKS.get(what);
        if (benchmark == null) {
            String near = Near.clause(what, BENCHMARKS.keySet());
            throw new RecipeException("Unknown benchmark " + what
                    + (near.isEmpty() ? ": give one of " + String.join(", ", BENCHMARKS.keySet()) : near));
        }
        int rankCount = ranks == null ? benchmark.ranks() : ranks;
        requireAtLeast("--ranks", rankCount, 1);
        if (rankCount > benchmark.maximumRanks()) {
            throw new RecipeException(
                    "Cannot use --ranks " + rankCount + " for " + what + ": only train and allreduce have ranks");
        }
        int rankThreads =
                threads == null ? Math.max(1, Runtime.getRuntime().availableProcessors() / rankCount) : threads;
        int runs = repeat == null ? benchmark.repeat() : repeat;
        requireAtLeast("--batch", batch, 1);
        requireAtLeast("--threads", rankThreads, 1);
        requireAtLeast("--repeat", runs, 1);
        requireAtLeast("--warmup", warmup, 0);
        requireAtLeast("--steps", steps, 0);
        if (!(bucketMegabytes > 0)) {
            throw new RecipeException("Cannot use --bucket-mb " + bucketMegabytes + ": give more than 0");
        }
        int gpu = gpu(rankCount);
        options.requireWritable();
        BenchReport report = measure(
                benchmark.work(),
                new BenchRequest(
                        size == null ? benchmark.size() : size,
                        batch,
                        Compute.precision(precision),
                        gpu,
                        rankThreads,
                        runs,
                        warmup,
                        steps,
                        activationCheckpointing,
                        new BenchRequest.Ranks(
                                rankCount, processes, Math.max(1, Math.round(bucketMegabytes * MEBIBYTE)))));
        options.write(report);
        if (!options.quiet()) {
            spec.commandLine().getOut().println(report.text());
        }
        return ExitCode.OK.number();
    }

    /** The index of the first rank's GPU, -1 for the CPU. */
    private int gpu(int rankCount) {
        Device first = Compute.device(device);
        if (!first.isGpu()) {
            return -1;
        }
        if (rankCount > 1 && !processes) {
            throw new RecipeException("Cannot use --ranks " + rankCount + " with --device " + device
                    + ": ranks on GPUs have a process each; give --processes as well");
        }
        int last = first.getDeviceId() + rankCount - 1;
        if (last >= Torch.gpus()) {
            throw new JobException(
                    ExitCode.UNAVAILABLE,
                    "Cannot use --ranks " + rankCount + " with --device " + device
                            + ": each rank takes a GPU, and libtorch" + " finds " + Torch.gpus()
                            + " here; lower --ranks");
        }
        return first.getDeviceId();
    }

    private static BenchReport measure(Function<BenchRequest, ? extends BenchReport> benchmark, BenchRequest request) {
        try {
            return benchmark.apply(request);
        } catch (IllegalArgumentException e) { // the kernel rejects the size or the batch
            throw new RecipeException(e.getMessage(), e);
        }
    }

    private static void requireAtLeast(String option, int value, int least) {
        if (value < least) {
            throw new RecipeException("Cannot use " + option + " " + value + ": give at least " + least);
        }
    }
}
