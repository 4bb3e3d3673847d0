package io.github.rarspark.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.job.StopRequest;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class DoctorCommandTest {
    @TempDir
    private Path folder;

    private StringWriter out;
    private StringWriter err;

    @BeforeEach
    void clear() {
        out = new StringWriter();
        err = new StringWriter();
    }

    private int doctor(String... more) {
        return doctorOf(folder.resolve("out").toString(), more);
    }

    private int doctorOf(String output, String... more) {
        List<String> arguments = new ArrayList<>(List.of(
                "doctor",
                "--recipe",
                "demo",
                "--master",
                "local[2]",
                "--output",
                output,
                "--json",
                folder.resolve("doctor.json").toString()));
        arguments.addAll(List.of(more));
        return Main.execute(
                Commands.all(new StopRequest()),
                new PrintWriter(out, true),
                new PrintWriter(err, true),
                Interruption.none(),
                arguments.toArray(String[]::new));
    }

    private JsonNode json() throws Exception {
        return new ObjectMapper().readTree(folder.resolve("doctor.json").toFile());
    }

    @Test
    void aMachineThatCanTrainIsFoundSound() throws Exception {
        assertThat(doctor()).as(() -> out + "\n" + err).isZero();
        assertThat(out.toString().lines())
                .allMatch(line -> line.matches("(OK   |WARN) .+: .+"))
                .anyMatch(line -> line.startsWith("OK    libtorch: libtorch 2"))
                .anyMatch(line -> line.startsWith("OK    ports: connections between ranks: 1"));
        assertThat(err.toString()).isEmpty();
        assertThat(json().get("passed").booleanValue()).isTrue();
        assertThat(json().get("findings")).hasSizeGreaterThan(20).allSatisfy(one -> assertThat(one.fieldNames())
                .toIterable()
                .containsExactly("status", "check", "value", "fix", "where"));
        assertThat(folder.resolve("out")).doesNotExist();
    }

    @Test
    void whatWouldFailIsTheErrorAndTheCode() throws Exception {
        assertThat(doctor("--ranks", "4", "--quiet")).isEqualTo(ExitCode.UNAVAILABLE.number());
        assertThat(out.toString()).isEmpty();
        assertThat(err.toString())
                .isEqualToIgnoringNewLines("rar-spark: Cannot train here: executors (use --master local[4])");
        assertThat(json().get("passed").booleanValue()).isFalse();
    }

    /** The rest is examined all the same. */
    @Test
    void aStorageThatCannotBeReachedIsAFindingAmongOthers() throws Exception {
        assertThat(doctorOf("nope://bucket/out")).isEqualTo(ExitCode.UNAVAILABLE.number());
        assertThat(out.toString().lines())
                .anyMatch(line -> line.startsWith("FAIL  storage: ") && line.contains("nope"))
                .anyMatch(line -> line.startsWith("OK    libtorch: "))
                .anyMatch(line -> line.startsWith("OK    ports: "));
        assertThat(err.toString()).startsWith("rar-spark: Cannot train here: storage");
    }

    @Test
    void anUnknownJobIsAnErrorOfUsage() {
        assertThat(doctor("--command", "trian")).isEqualTo(ExitCode.USAGE.number());
        assertThat(err.toString()).contains("Unknown --command trian", "train");
        assertThat(Files.exists(folder.resolve("doctor.json"))).isFalse();
    }
}
