package io.github.rarspark.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.rarspark.common.testing.Jvm;
import io.github.rarspark.common.testing.Processes;
import io.github.rarspark.kernel.rar.RarConfig;
import io.github.rarspark.kernel.rar.RarCost;
import io.github.rarspark.kernel.tensor.Precision;
import io.github.rarspark.kernel.testing.FakeGpus;
import io.github.rarspark.kernel.testing.OddImages;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.Model.CommandSpec;

class BenchCommandTest {

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @TempDir
    Path folder;

    private int bench(String... args) {
        return Main.execute(
                List.of(CommandSpec.forAnnotatedObject(new BenchCommand())),
                new PrintWriter(out, true),
                new PrintWriter(err, true),
                Interruption.none(),
                Stream.concat(Stream.of("bench"), Stream.of(args)).toArray(String[]::new));
    }

    @ParameterizedTest
    @ValueSource(strings = {"train", "sample", "forward"})
    void figuresBelongToEachOther(String what) throws Exception {
        Path json = folder.resolve("bench.json");
        int code = bench(
                what,
                "--size",
                "32x2x2x64x16x64",
                "--batch",
                "4",
                "--threads",
                "1",
                "--repeat",
                "2",
                "--warmup",
                "0",
                "--steps",
                "8",
                "--json",
                json.toString());
        assertThat(code).as(err::toString).isZero();
        assertThat(out.toString()).startsWith(what + " 32x2x2x64x16x64, batch 4, fp32, cpu, 1 threads: ");
        JsonNode report = new ObjectMapper().readTree(json.toFile());
        assertThat(report.get("what").asText()).isEqualTo(what);
        assertThat(report.get("precision").asText()).isEqualTo("fp32");
        assertThat(report.get("device").asText()).isEqualTo("cpu");
        assertThat(report.get("runs")).hasSize(2);
        double seconds = report.get("seconds_per_step").asDouble();
        // The batch over the seconds of the steps that were run.
        double perStep = 4.0 / report.get("steps").asInt();
        assertThat(report.get("steps").asInt()).isEqualTo(what.equals("sample") ? 8 : 1);
        assertThat(report.get("images_per_second").asDouble() * seconds).isCloseTo(perStep, within(1e-6));
        assertThat(report.get("median_seconds_per_step").asDouble()).isGreaterThanOrEqualTo(seconds);
        assertThat(report.get("gflops_per_second").asDouble()).isPositive();
    }

    @ParameterizedTest
    @CsvSource({"0, 16, 'whole images, 16 steps'", "8, 8, first 8 of 16 steps"})
    void aSamplingStepIsSetBesideTheMachine(int asked, int steps, String timed) throws Exception {
        Path json = folder.resolve("bench.json");
        int code = bench(("sample --size 32x2x2x64x16x64 --batch 3 --threads 1 --repeat 1 --precision bf16 --steps "
                        + asked + " --json " + json)
                .split(" "));
        assertThat(code).as(err::toString).isZero();
        assertThat(out.toString()).contains(" (" + timed + ")").contains("memory (GB) ", "products (GFLOP) ");
        JsonNode report = new ObjectMapper().readTree(json.toFile());
        assertThat(report.get("steps").asInt()).isEqualTo(steps);
        assertThat(report.get("of_steps").asInt()).isEqualTo(16);
        double seconds = report.get("seconds_per_step").asDouble();
        double flop = report.get("flop_per_step").asDouble();
        double bytes = report.get("bytes_per_step").asDouble();
        RarCost.Work work =
                new RarCost(RarConfig.of(32, 2, 2, 64, 16, 64, 10)).sampling(3, 3, true, steps, Precision.BF16);
        assertThat(flop * steps).isCloseTo(work.flop(), within(1e-3));
        assertThat(bytes * steps).isCloseTo(work.bytes(), within(1e-3));
        assertThat(report.get("gflops_per_second").asDouble()).isCloseTo(flop / seconds / 1e9, withinPercentage(1e-6));
        double memoryShare = report.get("memory_share").asDouble();
        double gemmShare = report.get("gemm_share").asDouble();
        assertThat(List.of(memoryShare, gemmShare)).allMatch(share -> share > 0 && share <= 1.5);
        assertThat(memoryShare * report.get("memory_bytes_per_second").asDouble())
                .isCloseTo(bytes / seconds, withinPercentage(1e-6));
        assertThat(gemmShare * report.get("gemm_flop_per_second").asDouble())
                .isCloseTo(flop / seconds, withinPercentage(1e-6));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void ranksTrainAlternatelyWithOne(boolean processes) throws Exception {
        Path json = folder.resolve("bench.json");
        List<String> args = new ArrayList<>(List.of(
                "train", "--size", "32x2x2x64x16x64", "--batch", "4", "--ranks", "2", "--repeat", "3", "--json"));
        args.add(json.toString());
        if (processes) {
            args.add("--processes");
        }
        int code = bench(args.toArray(String[]::new));
        assertThat(code).as(err::toString).isZero();
        assertThat(out.toString())
                .contains(processes ? "2 ranks (processes) of " : "2 ranks (threads of one process) of ")
                .contains("all_reduce");
        JsonNode report = new ObjectMapper().readTree(json.toFile());
        assertThat(report.get("ranks").asInt()).isEqualTo(2);
        assertThat(report.get("processes").asBoolean()).isEqualTo(processes);
        assertThat(report.get("runs")).hasSize(3);
        JsonNode one = report.get("one_rank");
        assertThat(one.get("runs")).hasSize(3);
        assertThat(report.get("images_per_second").asDouble()
                        / one.get("images_per_second").asDouble())
                .isCloseTo(one.get("speedup").asDouble(), within(1e-9));
        for (JsonNode measured : List.of(report, one)) {
            JsonNode phases = measured.get("phases");
            double seconds = phases.findValues("seconds").stream()
                    .mapToDouble(JsonNode::asDouble)
                    .sum();
            // Little of which is not a phase; and of two ranks one may do more than the mean.
            assertThat(measured.get("processor_seconds").asDouble()).isBetween(seconds / 100, 2 * seconds);
            assertThat(phases.findValuesAsText("phase"))
                    .containsExactly("data", "forward", "backward", "all_reduce", "optimizer");
            assertThat(phases.findValues("share").stream()
                            .mapToDouble(JsonNode::asDouble)
                            .sum())
                    .isCloseTo(1, within(1e-9));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " --activation-checkpointing"})
    void trainingReportsItsPeakMemory(String option) throws Exception {
        Path json = folder.resolve("bench.json");
        int code = bench(("train --size 32x2x2x64x16x64 --repeat 1 --json " + json + option).split(" "));
        assertThat(code).as(err::toString).isZero();
        JsonNode report = new ObjectMapper().readTree(json.toFile());
        assertThat(report.get("activation_checkpointing").asBoolean()).isEqualTo(!option.isEmpty());
        long peak = report.get("peak_memory_bytes").asLong();
        long heap = Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
        assertThat(peak).isGreaterThan(heap);
        assertThat(out.toString())
                .contains(String.format(Locale.ROOT, "%npeak memory of the process %.2f GB", peak / 1e9))
                .matches("(?s).* GB" + (option.isEmpty() ? "" : ", with activation checkpointing") + "\\Rphase .*");
    }

    @ParameterizedTest
    @ValueSource(strings = {"2", "3 --processes"})
    void allReducesGrowToTheGradient(String ranks) throws Exception {
        Path json = folder.resolve("bench.json");
        int code = bench(
                ("allreduce --size 32x2x2x64x16x64 --repeat 2 --bucket-mb 0.01 --json " + json + " --ranks " + ranks)
                        .split(" "));
        assertThat(code).as(err::toString).isZero();
        JsonNode report = new ObjectMapper().readTree(json.toFile());
        assertThat(report.get("device").asText()).isEqualTo("cpu");
        JsonNode sums = report.get("sums");
        assertThat(sums.findValues("count").stream().map(JsonNode::asLong).limit(3))
                .containsExactly(1024L, 4096L, 16384L);
        JsonNode whole = sums.get(sums.size() - 2);
        JsonNode gradient = sums.get(sums.size() - 1);
        assertThat(gradient.get("bucket_bytes").asLong()).isEqualTo(10486);
        assertThat(whole.get("bucket_bytes").asLong()).isZero();
        assertThat(gradient.get("bytes")).isEqualTo(whole.get("bytes"));
        int n = report.get("ranks").asInt();
        for (JsonNode sum : sums) {
            double bytes = 4.0 * sum.get("count").asLong();
            assertThat(sum.get("bytes").asDouble()).isEqualTo(bytes);
            double algorithm = bytes / sum.get("seconds").asDouble() / 1e9;
            assertThat(sum.get("algorithm_bandwidth").asDouble()).isCloseTo(algorithm, within(1e-9));
            assertThat(sum.get("bus_bandwidth").asDouble()).isCloseTo(algorithm * 2 * (n - 1) / n, within(1e-9));
        }
    }

    @Test
    void workOnImagesIsMeasuredPerCore() throws Exception {
        Path json = folder.resolve("bench.json");
        int code = bench(("jpeg --size 64x48 --batch 4 --threads 2 --repeat 2 --warmup 0 --json " + json).split(" "));
        assertThat(code).as(err::toString).isZero();
        JsonNode report = new ObjectMapper().readTree(json.toFile());
        assertThat(out.toString())
                .startsWith("jpeg 64x48 (" + report.get("file_bytes").asInt() + " bytes), 2 threads: ");
        assertThat(report.get("runs")).hasSize(2);
        // Two threads do in a second what occupies at most two cores for a second.
        assertThat(report.get("images_per_second").asDouble()
                        * report.get("processor_seconds_per_image").asDouble())
                .isBetween(0.0, 2.2);
        Path photo = Files.write(folder.resolve("photo.jpg"), OddImages.imageKind("ycc-420.jpg"));
        assertThat(bench(("crops --repeat 1 --size " + photo).split(" "))).isZero();
        assertThat(out.toString()).contains("crops " + photo + " (" + Files.size(photo) + " bytes)");
    }

    /** Runs commands on a machine with two GPUs. */
    static final class WithGpus {
        public static void main(String[] commands) {
            for (String command : commands) {
                BenchCommandTest test = new BenchCommandTest();
                int code = test.bench(command.split(" "));
                System.out.println(code + " "
                        + (test.err + "" + test.out).lines().findFirst().orElse(""));
            }
        }
    }

    @Test
    void ranksOnGpusHaveAGpuAndAProcessEach() throws Exception {
        String bench = "train --size 32x2x2x64x16x64 --batch 6 --repeat 1 --warmup 0 --threads 1 --device ";
        Process process = Jvm.of(
                        FakeGpus.javaOptions(),
                        WithGpus.class.getName(),
                        bench + "gpu:1",
                        bench + "gpu --ranks 2",
                        bench + "gpu --ranks 3 --processes")
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        try (var output = process.inputReader()) {
            List<String> lines =
                    output.lines().filter(line -> line.matches("\\d+ .*")).toList();
            assertThat(lines).hasSize(3);
            assertThat(lines.get(0)).startsWith("0 train 32x2x2x64x16x64, batch 6, fp32, gpu:1, 1 threads: ");
            assertThat(lines.get(1))
                    .isEqualTo(
                            "64 rar-spark: Cannot use --ranks 2 with --device gpu: ranks on GPUs have a process each;"
                                    + " give --processes as well");
            assertThat(lines.get(2))
                    .isEqualTo(
                            "69 rar-spark: Cannot use --ranks 3 with --device gpu: each rank takes a GPU, and libtorch"
                                    + " finds 2 here; lower --ranks");
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        } finally {
            Processes.kill(process);
        }
    }

    @Test
    void aGpuThatIsNotThereIsUnavailable() {
        assertThat(bench("forward", "--device", "gpu:1")).isEqualTo(69);
        assertThat(err.toString())
                .startsWith("rar-spark: Cannot compute on a GPU: ")
                .contains("--device cpu")
                .containsOnlyOnce("\n");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "sampel | Unknown benchmark sampel; did you mean sample?",
                "fly | Unknown benchmark fly: give one of",
                "train --size rar-q | Cannot use --size rar-q: give",
                "train --size 30x1x4x8x4x8 | heads",
                "train --precision fp8 | Cannot use --precision fp8: give fp32 or bf16",
                "train --batch 0 | Cannot use --batch 0: give at least 1",
                "sample --steps -1 | Cannot use --steps -1: give at least 0",
                "features --size f16 | Cannot use --size f16: give inception",
                "jpeg --size rar-b | Cannot use --size rar-b: give WIDTHxHEIGHT",
                "crops --ranks 2 | Cannot use --ranks 2 for crops: only train and allreduce have ranks",
                "train --ranks 0 | Cannot use --ranks 0: give at least 1",
                "train --ranks 3 | Cannot use --batch 8 with --ranks 3: every rank takes the same share; give a multiple",
                "sample --ranks 2 | Cannot use --ranks 2 for sample: only train and allreduce have ranks",
                "train --device tpu | Cannot use --device tpu: give cpu, gpu or gpu:N",
                "train --bucket-mb 0 | Cannot use --bucket-mb 0.0: give more than 0",
                "allreduce --size rar-q | Cannot use --size rar-q: give"
            })
    void wrongUsageIsOneLine(String args, String message) {
        assertThat(bench(args.split(" "))).isEqualTo(64);
        assertThat(err.toString()).startsWith("rar-spark: ").contains(message).containsOnlyOnce("\n");
    }
}
