package io.github.rarspark.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.job.StopRequest;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.run.Plan;
import io.github.rarspark.common.storage.Json;
import io.github.rarspark.common.testing.Jvm;
import io.github.rarspark.common.testing.Processes;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** How a command ended, as its driver leaves it and as another process reads it. */
class ResultCommandTest {
    private static final Plan PLAN = Plan.of("train", "0".repeat(64), Map.of(), Map.of());
    private static final Instant STARTED = Instant.parse("2025-03-01T12:00:00Z");

    @RegisterExtension
    final Processes processes = new Processes();

    @TempDir
    Path folder;

    private String out;
    private String err;

    private int result(String... args) {
        StringWriter outWriter = new StringWriter();
        StringWriter errWriter = new StringWriter();
        List<String> all = new ArrayList<>(List.of("result"));
        all.addAll(List.of(args));
        int code = Main.execute(
                Commands.all(new StopRequest()),
                new PrintWriter(outWriter, true),
                new PrintWriter(errWriter, true),
                Interruption.none(),
                all.toArray(String[]::new));
        out = outWriter.toString();
        err = errWriter.toString();
        return code;
    }

    private static JobResult done() {
        return JobResult.done(PLAN, STARTED, 12.5, Map.of("steps", 20L), Map.of("loss", 2.5), List.of("odd data"));
    }

    private static JobResult failed(ExitCode code, String message) {
        return JobResult.failed(PLAN, STARTED, 12.5, new JobException(code, message));
    }

    private Path write(String name, JobResult result) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        return Files.write(file, Json.pretty(result));
    }

    @Test
    void anOutputTellsThatItIsDone() throws Exception {
        Path file = write("run/result.json", done());
        Path json = folder.resolve("copy.json");
        assertThat(result(folder.resolve("run").toUri().toString(), "--json", json.toString()))
                .isZero();
        assertThat(out.lines().toList())
                .containsExactly(
                        "train: done in 12.5 s",
                        "  steps                    20",
                        "  loss                     2.50000",
                        "  warning: odd data");
        assertThat(err).isEmpty();
        assertThat(json).hasSameBinaryContentAs(file);
        assertThat(file).as("is the output's").exists();
        assertThat(result(file.toString(), "--quiet")).isZero();
        assertThat(out).isEmpty();
    }

    @Test
    void anOutputTellsWhyAndWithWhichCodeItsCommandFailed() throws Exception {
        write("run/result.json", failed(ExitCode.DATA, "Cannot train: the loss is not finite"));
        assertThat(result(folder.resolve("run").toString())).isEqualTo(65);
        assertThat(err.lines()).containsExactly("rar-spark: Cannot train: the loss is not finite");
        assertThat(out).isEmpty();
    }

    @Test
    void withoutAResultTheInputIsMissing() throws Exception {
        Path output = Files.createDirectory(folder.resolve("run"));
        assertThat(result(output.toString())).isEqualTo(66);
        assertThat(err)
                .contains("Cannot tell how the command ended: " + output + "/result.json does not exist")
                .containsOnlyOnce("\n");
    }

    @Test
    void whatASubmittedDriverLeftIsReadOnce() throws Exception {
        Path file = write("out/.result-1.json", failed(ExitCode.OUTPUT_EXISTS, "Cannot write to out: not ours"));
        assertThat(result("--submitted", file.toUri().toString())).isEqualTo(73);
        assertThat(err.lines()).containsExactly("rar-spark: Cannot write to out: not ours");
        assertThat(file).doesNotExist();
        assertThat(result("--submitted", file.toUri().toString())).isEqualTo(70);
        assertThat(err).startsWith("rar-spark: Cannot tell how the driver ended: it wrote nothing to " + file.toUri());
    }

    /** 69 would pass for the driver's code. */
    @Test
    void aStorageThatCannotBeReadIsNotTakenForTheDriversEnd() {
        assertThat(result("--submitted", "nosuch://bucket/.result-1.json")).isEqualTo(70);
        assertThat(err)
                .startsWith("rar-spark: Cannot tell how the driver ended: ")
                .contains("nosuch");
    }

    /** Starts a driver that is to leave its end in {@code file}. */
    private Process driver(Path file, String... args) throws IOException {
        ProcessBuilder process = Jvm.of(
                List.of("-Xmx512m", "-D" + DriverResult.SETTING + "=" + file.toUri(), "-Dspark.ui.enabled=false"),
                Main.class.getName(),
                args);
        process.environment().put("SPARK_LOCAL_IP", "127.0.0.1");
        return processes.start(process.redirectOutput(folder.resolve("out").toFile())
                .redirectError(folder.resolve("err").toFile()));
    }

    private static JobResult read(Path file) throws IOException {
        return Json.read(Files.readAllBytes(file), JobResult.class, file.toString());
    }

    private Path err() {
        return folder.resolve("err");
    }

    @Test
    @Timeout(120)
    void aDriverLeavesWhyItRefusedAWrongOption() throws Exception {
        Path file = folder.resolve("new/output/.result-1.json");
        Process process = driver(file, "train", "--otuput", "x");
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).isEqualTo(64);
        JobResult result = read(file);
        assertThat(result.exitCode()).isEqualTo(64);
        assertThat(result.status()).isEqualTo(JobResult.Status.FAILED);
        assertThat(result.command()).isEqualTo("train");
        assertThat(result.retryable()).isFalse();
        assertThat(result.device()).isEqualTo("none");
        assertThat(result.warnings()).containsExactly("Unknown option --otuput; did you mean --output?");
        assertThat(err()).content().contains("rar-spark: " + result.warnings().get(0));
        assertThat(Files.readString(file)).doesNotContain("recipe_sha256");
    }

    /** It waits for its recipe. */
    @Test
    @Tag("fault")
    @Timeout(120)
    void aDriverThatIsKilledHasLeftThatItMayBeRunAgain() throws Exception {
        Path pipe = folder.resolve("pipe");
        assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor())
                .isZero();
        Path file = folder.resolve("output/.result-1.json");
        Process process = driver(file, "train", "--recipe", pipe.toString());
        try {
            Awaitility.await().atMost(Duration.ofSeconds(60)).until(() -> Files.exists(file) || !process.isAlive());
            assertThat(process.isAlive()).isTrue();
        } finally {
            assertThat(process.destroyForcibly().waitFor(30, TimeUnit.SECONDS)).isTrue();
        }
        JobResult result = read(file);
        assertThat(result.exitCode()).isEqualTo(75);
        assertThat(result.retryable()).isTrue();
        assertThat(result.warnings()).singleElement().asString().contains("killed", "ran out of memory");
    }

    /** With the settings of the driver, which name the file. */
    @Test
    @Timeout(120)
    void aProcessThatReadsTheFileDoesNotWriteIt() throws Exception {
        Path file = write("run/.result-1.json", failed(ExitCode.OUTPUT_EXISTS, "Cannot write to run: not ours"));
        byte[] before = Files.readAllBytes(file);
        Process process = driver(file, "result", file.toString());
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).isEqualTo(73);
        assertThat(file).hasBinaryContent(before);
    }

    /** The job matters more than who waits for it. */
    @Test
    @Timeout(120)
    void aFileThatCannotBeWrittenDoesNotEndTheJob() throws Exception {
        Path file = Files.writeString(folder.resolve("file"), "");
        Process process = driver(
                file.resolve(".result-1.json"),
                "weights",
                "inspect",
                folder.resolve("none").toString());
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).isEqualTo(66);
        assertThat(Files.readString(err(), StandardCharsets.UTF_8))
                .contains("the submitter will not learn how this ends");
    }
}
