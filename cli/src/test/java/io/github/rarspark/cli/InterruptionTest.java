package io.github.rarspark.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.job.StopRequest;
import java.io.BufferedReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class InterruptionTest {
    /** A command that waits until it is told to end, or ends at once. */
    static final class Command {
        public static void main(String[] args) throws InterruptedException {
            Interruption interruption = Interruption.announcedOn(
                    System.err, new StopRequest(), () -> Runtime.getRuntime().halt(130));
            System.err.println("started");
            if (args.length == 0) {
                new CountDownLatch(1).await(50, TimeUnit.SECONDS);
            }
            interruption.commandEnded();
            System.exit(7);
        }
    }

    @Test
    void aSignalEndsTheProcessWith130AndOneLine() throws Exception {
        Process process = start();
        try (BufferedReader err = process.errorReader(StandardCharsets.UTF_8)) {
            assertThat(err.lines().anyMatch("started"::equals)).isTrue();
            // Unlike the process itself, its handle leaves the streams open.
            process.toHandle().destroy();
            assertThat(err.lines())
                    .filteredOn(line -> line.startsWith("rar-spark: interrupted"))
                    .hasSize(1);
            assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).isEqualTo(130);
        } finally {
            process.destroyForcibly();
        }
    }

    @Test
    void aCommandThatEndsKeepsItsCode() throws Exception {
        Process process = start("end");
        try (BufferedReader err = process.errorReader(StandardCharsets.UTF_8)) {
            assertThat(err.lines()).noneMatch(line -> line.contains("interrupted"));
            assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).isEqualTo(7);
        } finally {
            process.destroyForcibly();
        }
    }

    private static Process start(String... args) throws Exception {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        ProcessBuilder builder = new ProcessBuilder(
                java, "-Xmx128m", "-cp", System.getProperty("java.class.path"), Command.class.getName());
        builder.command().addAll(List.of(args));
        return builder.redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
    }
}
