package io.github.rarspark.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
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
        assertThat(out.toString()).startsWith(what + " 32x2x2x64x16x64, batch 4, fp32, 1 threads: ");
        JsonNode report = new ObjectMapper().readTree(json.toFile());
        assertThat(report.get("what").asText()).isEqualTo(what);
        assertThat(report.get("precision").asText()).isEqualTo("fp32");
        assertThat(report.get("runs")).hasSize(2);
        double seconds = report.get("seconds_per_step").asDouble();
        // The batch over the seconds of the steps that were run.
        double perStep = 4.0 / report.get("steps").asInt();
        assertThat(report.get("steps").asInt()).isEqualTo(what.equals("sample") ? 8 : 1);
        assertThat(report.get("images_per_second").asDouble() * seconds).isCloseTo(perStep, within(1e-6));
        assertThat(report.get("gflops_per_second").asDouble()).isPositive();
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
                "features --size f16 | Cannot use --size f16: give inception"
            })
    void wrongUsageIsOneLine(String args, String message) {
        assertThat(bench(args.split(" "))).isEqualTo(64);
        assertThat(err.toString()).startsWith("rar-spark: ").contains(message).containsOnlyOnce("\n");
    }
}
