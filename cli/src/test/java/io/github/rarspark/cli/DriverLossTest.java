package io.github.rarspark.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.testing.Processes;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** The driver of a training is killed, and two others begin at the same moment, as a scheduler's and a user's might. */
@Tag("fault")
@Timeout(600)
class DriverLossTest {
    @RegisterExtension
    final Processes processes = new Processes();

    @TempDir
    private Path folder;

    @BeforeEach
    void makeTokens() throws Exception {
        TrainingProcess.writeTokens(folder);
    }

    /** It was on another machine, as far as its successors know, so they wait for its lease to pass. */
    @Test
    void oneOfTwoSuccessorsTakesOverAfterTheLeaseAndEndsWithTheSameBits() throws Exception {
        Path output = folder.resolve("run");
        Process killed = train(output, "killed", "claim.lease_seconds=5");
        Path last = output.resolve("checkpoints/LAST");
        Awaitility.await().atMost(Duration.ofSeconds(120)).until(() -> Files.exists(last) || !killed.isAlive());
        assertThat(killed.isAlive()).isTrue();
        killed.destroyForcibly();
        assertThat(killed.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(output.resolve("model.safetensors")).doesNotExist();
        Path owner = output.resolve("_owner.json");
        Files.writeString(
                owner, Files.readString(owner).replaceAll("(\"boot_id\" : \").*(\")", "$1of another machine$2"));
        assertThat(owner).content().contains("of another machine");

        List<Process> successors = List.of(train(output, "first"), train(output, "second"));
        for (Process successor : successors) {
            assertThat(successor.waitFor(240, TimeUnit.SECONDS)).isTrue();
        }
        assertThat(successors)
                .extracting(Process::exitValue)
                .containsExactlyInAnyOrder(ExitCode.OK.number(), ExitCode.TEMPORARY.number());
        assertThat(Stream.of("first", "second").map(this::err))
                .anySatisfy(err -> assertThat(err).content().contains("waiting up to 5 s for a heartbeat of process"))
                .anySatisfy(err -> assertThat(err).content().contains("is working on it (attempt 2)"));
        assertThat(last).content().startsWith("step-000000400-a2-r0-");

        Path undisturbed = folder.resolve("undisturbed");
        assertThat(train(undisturbed, "undisturbed").waitFor(240, TimeUnit.SECONDS))
                .isTrue();
        assertThat(output.resolve("model.safetensors"))
                .hasSameBinaryContentAs(undisturbed.resolve("model.safetensors"));
    }

    private Path err(String name) {
        return folder.resolve(name + ".txt");
    }

    private Process train(Path output, String name, String... more) throws Exception {
        String[] settings = Stream.concat(Stream.of("train.steps=400", "train.checkpoint_every=20"), Stream.of(more))
                .toArray(String[]::new);
        return processes.start(TrainingProcess.of(folder, output, err(name), settings));
    }
}
