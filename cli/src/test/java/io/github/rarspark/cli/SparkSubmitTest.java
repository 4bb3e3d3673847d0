package io.github.rarspark.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.storage.Json;
import io.github.rarspark.common.testing.Jvm;
import io.github.rarspark.common.testing.Processes;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the console of spark-submit shows, with Spark's own logging. */
@Timeout(180)
class SparkSubmitTest {
    @TempDir
    Path folder;

    /** The tokens are found to be wrong by the ranks, so that a stage fails, of which Spark logs the traces. */
    @Test
    @Tag("clusters")
    void anExpectedEndIsOurLinesAndTheTraceIsInTheLog() throws Exception {
        Path tokens = folder.resolve("tokens.jsonl");
        Files.writeString(tokens, "{\"class_id\": 0, \"tokens\": [0, 1, 2, 999]}\n".repeat(4));
        Path log = folder.resolve("driver.log");
        Path console = folder.resolve("console");
        Path result = folder.resolve("result.json");
        ProcessBuilder submit = Jvm.of(
                List.of("-Xmx512m"),
                "org.apache.spark.deploy.SparkSubmit",
                "--master",
                "local[1]",
                "--conf",
                "spark.ui.enabled=false",
                "--conf",
                DriverResult.SETTING + "=" + result.toUri(),
                "--class",
                Main.class.getName(),
                anyJar(),
                "train",
                "--tokens",
                tokens.toString(),
                "--output",
                folder.resolve("run").toString(),
                "--recipe",
                "demo",
                "--ranks",
                "1",
                "--set",
                "image.size=8",
                "--set",
                "model.tokens=4");
        List<String> command = submit.command();
        command.set(command.indexOf("-cp") + 1, classPath());
        submit.environment().put("RAR_SPARK_LOG", log.toString());
        submit.environment().put("SPARK_LOCAL_IP", "127.0.0.1");
        Process process = submit.redirectErrorStream(true)
                .redirectOutput(console.toFile())
                .start();
        int code = Processes.exitCode(process, Duration.ofSeconds(120));

        assertThat(console).content().contains("rar-spark: the log is " + log);
        assertThat(Files.readAllLines(console))
                .anyMatch(line -> line.startsWith("rar-spark: ") && line.contains("expected 0 to 511"))
                .noneMatch(line -> line.startsWith("\tat ") || line.contains("Exception"));
        assertThat(code).isEqualTo(ExitCode.DATA.number());
        JobResult left = Json.read(Files.readAllBytes(result), JobResult.class, "result");
        assertThat(left.exitCode()).isEqualTo(ExitCode.DATA.number());
        assertThat(left.warnings()).singleElement().asString().contains("expected 0 to 511");
        assertThat(log).content().contains("exits with 65 (DATA)", "\tat ");
    }

    /** There the log is what the pod prints, and is kept by the cluster. */
    @ParameterizedTest
    @CsvSource({"client,, true", "client, true, false", "cluster,, false", ",, false"})
    void theLogStaysWhereADriverRunsOnTheCluster(String deployMode, String submitInDriver, boolean onConsole) {
        Properties spark = new Properties();
        if (deployMode != null) {
            spark.setProperty("spark.submit.deployMode", deployMode);
        }
        if (submitInDriver != null) {
            spark.setProperty("spark.kubernetes.submitInDriver", submitInDriver);
        }
        assertThat(SubmittedLog.isOnUsersConsole(spark)).isEqualTo(onConsole);
    }

    /** Without the tests' own configuration of log4j. */
    private static String classPath() {
        return parts().filter(part -> !part.endsWith("test-classes") && !part.endsWith("-tests.jar"))
                .collect(Collectors.joining(File.pathSeparator));
    }

    /** What spark-submit asks for; the class path has the classes. */
    private static String anyJar() {
        return parts().filter(part -> part.endsWith(".jar")).findFirst().orElseThrow();
    }

    private static Stream<String> parts() {
        return Stream.of(Jvm.classPath().split(File.pathSeparator));
    }
}
