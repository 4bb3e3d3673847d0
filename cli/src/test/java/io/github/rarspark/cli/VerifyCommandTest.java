package io.github.rarspark.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine.Model.CommandSpec;

class VerifyCommandTest {

    private static final Path GOLDEN = Path.of("..", "model-kernel", "src", "test", "resources", "golden", "rar-plain");

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @TempDir
    Path folder;

    private int verify(Path golden, String... more) {
        List<String> args = Stream.concat(Stream.of("verify", "--golden", golden.toString()), Stream.of(more))
                .toList();
        return Main.execute(
                List.of(CommandSpec.forAnnotatedObject(new VerifyCommand())),
                new PrintWriter(out, true),
                new PrintWriter(err, true),
                Interruption.none(),
                args.toArray(String[]::new));
    }

    @Test
    void reportNamesCasesAndChecks() throws IOException {
        Path json = folder.resolve("report.json");
        assertThat(verify(GOLDEN, "--json", json.toString())).as(err::toString).isZero();
        assertThat(out.toString()).contains("rar-plain").doesNotContain("FAILED");
        JsonNode report = new ObjectMapper().readTree(json.toFile());
        assertThat(report.get("passed").asBoolean()).isTrue();
        JsonNode first = report.get("cases").get(0);
        assertThat(first.get("case").asText()).isEqualTo("rar-plain");
        assertThat(first.get("passed").asBoolean()).isTrue();
        JsonNode check = first.get("checks").get(0);
        assertThat(check.get("max_error").asDouble())
                .isLessThanOrEqualTo(check.get("tolerance").asDouble());
        assertThat(check.get("name").asText()).isNotEmpty();
    }

    @Test
    void anotherComputationFails() throws IOException {
        try (Stream<Path> files = Files.list(GOLDEN)) {
            for (Path file : files.toList()) {
                Files.copy(file, folder.resolve(file.getFileName()));
            }
        }
        Path numbers = folder.resolve("rar.json");
        String text = Files.readString(numbers);
        Files.writeString(
                numbers, text.replace("\"guidance_scale\": 4.0", "\"guidance_scale\": 5.0"), StandardCharsets.UTF_8);
        assertThat(Files.readString(numbers)).isNotEqualTo(text);
        assertThat(verify(folder)).isEqualTo(70);
        assertThat(out.toString()).contains("FAILED");
        assertThat(err.toString())
                .contains("Cannot reproduce 1 of 1 golden cases")
                .containsOnlyOnce("\n");
    }

    @Test
    void missingFolderIsMissingInput() {
        assertThat(verify(folder.resolve("none"))).isEqualTo(66);
        assertThat(err.toString()).contains("no such folder");
    }

    @Test
    void aDeviceThatIsNotThereEndsWithOneLine() {
        assertThat(verify(GOLDEN, "--device", "gpu:x")).isEqualTo(64);
        assertThat(verify(GOLDEN, "--device", "gpu:999")).isEqualTo(69);
        assertThat(err.toString()).contains("Cannot compute on ");
        assertThat(err.toString().lines()).hasSize(2);
    }

    @Test
    void mixedPrecisionHasTolerancesOfItsOwn() {
        assertThat(verify(GOLDEN, "--device", "cpu", "--precision", "bf16"))
                .as(err::toString)
                .isZero();
        assertThat(out.toString()).contains("logits_ordered").doesNotContain("FAILED");
    }

    @Test
    void anUnknownPrecisionIsBadUsage() {
        assertThat(verify(GOLDEN, "--precision", "fp16")).isEqualTo(64);
        assertThat(err.toString()).contains("Cannot use --precision fp16: give fp32 or bf16");
    }
}
