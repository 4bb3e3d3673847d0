package io.github.rarspark.common.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.storage.Storage;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PreFlightTest {
    @TempDir
    Path temp;

    private final Storage storage = new Storage(new Configuration());

    @Test
    void aMissingInputIsNamed() throws Exception {
        String there = temp.toUri().toString();
        PreFlight.requireInput(storage, "--tokens", there);
        assertThatThrownBy(() -> PreFlight.requireInput(storage, "--tokens", there + "none"))
                .isInstanceOfSatisfying(
                        JobException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.NO_INPUT))
                .hasMessage("Cannot read --tokens " + there + "none: it does not exist");
    }

    @ParameterizedTest
    @CsvSource({"in, in", "in, in/out", "in/deep, in", "in, ./x/../in/out"})
    void anOutputThatOverlapsTheInputIsRefused(String input, String output) {
        assertThatThrownBy(() -> PreFlight.requireApart(storage, "--input", input, output))
                .isInstanceOfSatisfying(
                        JobException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.USAGE))
                .hasMessage("Cannot write to --output " + output + ": it overlaps --input " + input
                        + "; choose a directory outside it");
    }

    @ParameterizedTest
    @CsvSource({"in, out", "in, in2", "in, in/../out"})
    void anOutputBesideTheInputIsFine(String input, String output) {
        assertThatCode(() -> PreFlight.requireApart(storage, "--input", input, output))
                .doesNotThrowAnyException();
    }
}
