package io.github.rarspark.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.testing.Processes;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** The process of a training gets SIGTERM, as from a scheduler, or as Ctrl-C sends SIGINT. */
@Tag("fault")
@Timeout(300)
class InterruptedTrainingTest {
    private static final long STEPS = 100_000;

    @RegisterExtension
    final Processes processes = new Processes();

    @TempDir
    private Path folder;

    private Path output;
    private Path err;

    @BeforeEach
    void makeTokens() throws Exception {
        output = folder.resolve("run");
        err = folder.resolve("err.txt");
        TrainingProcess.writeTokens(folder);
    }

    @Test
    void theStepIsFinishedAndSaved() throws Exception {
        Process process = processes.start(
                TrainingProcess.of(folder, output, err, "train.steps=" + STEPS, "train.checkpoint_every=100"));
        Path last = output.resolve("checkpoints/LAST");
        Awaitility.await().atMost(Duration.ofSeconds(120)).until(() -> Files.exists(last) || !process.isAlive());
        assertThat(process.isAlive()).isTrue();
        process.destroy();
        assertThat(process.waitFor(45, TimeUnit.SECONDS))
                .as("ends before train.stop_seconds have passed")
                .isTrue();
        assertThat(process.exitValue()).isEqualTo(ExitCode.INTERRUPTED.number());
        assertThat(Files.readAllLines(err))
                .filteredOn(line -> line.startsWith("rar-spark: "))
                .containsExactly("rar-spark: interrupted; saving the work within 60 s; run the same command to resume");
        String name = Files.readString(last).strip();
        long step = Long.parseLong(name.replaceAll("step-0*(\\d+)-.*", "$1"));
        assertThat(step).isPositive().isLessThan(STEPS);
        assertThat(output.resolve("checkpoints/" + name + "/manifest.json")).exists();
        assertThat(output.resolve("result.json"))
                .content()
                .contains("The training was stopped; run the same command to resume from step " + step);
        assertThat(output.resolve("_owner.json")).content().contains("\"lease_seconds\" : 0");
    }
}
