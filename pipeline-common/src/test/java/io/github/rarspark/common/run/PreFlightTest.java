package io.github.rarspark.common.run;

import static io.github.rarspark.common.testing.JobAssert.assertFails;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.SmallDisk;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Tag;
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
        assertFails(ExitCode.NO_INPUT, () -> PreFlight.requireInput(storage, "--tokens", there + "none"))
                .isEqualTo("Cannot read --tokens " + there + "none: it does not exist");
    }

    @Test
    void aPipeIsNoInput() throws Exception {
        String pipe = temp.resolve("pipe").toString();
        assertThat(new ProcessBuilder("mkfifo", pipe).start().waitFor()).isZero();
        assertFails(ExitCode.NO_INPUT, () -> PreFlight.requireInput(storage, "--weights", pipe))
                .isEqualTo("Cannot read --weights " + pipe + ": it is a device or a pipe; write it to a file first");
    }

    @ParameterizedTest
    @CsvSource({"in, in", "in, in/out", "in/deep, in", "in, ./x/../in/out"})
    void anOutputThatOverlapsTheInputIsRefused(String input, String output) {
        assertFails(ExitCode.USAGE, () -> PreFlight.requireApart(storage, "--input", input, output))
                .isEqualTo("Cannot write to --output " + output + ": it overlaps --input " + input
                        + "; choose a directory outside it");
    }

    @ParameterizedTest
    @CsvSource({"in, out", "in, in2", "in, in/../out"})
    void anOutputBesideTheInputIsFine(String input, String output) {
        assertThatCode(() -> PreFlight.requireApart(storage, "--input", input, output))
                .doesNotThrowAnyException();
    }

    @Test
    void aPlaceWithRoomOrOfUnknownSizeIsFine() throws Exception {
        String output = temp.resolve("not/there/yet").toString();
        assertThat(storage.space(output).orElseThrow()).isPositive();
        PreFlight.requireSpace(storage, output, 1);
        assertThat(temp).isEmptyDirectory();
    }

    @Test
    @Tag("fault")
    void aPlaceWithTooLittleRoomIsRefused() throws Exception {
        try (SmallDisk disk = SmallDisk.mount(temp, 4 << 20)) {
            String output = disk.path().resolve("out").toString();
            PreFlight.requireSpace(storage, output, 0);
            PreFlight.requireSpace(storage, output, 4 << 20);
            isRefused(output, 5_000_000, "it takes 5.0 MB or more, and 4.2 MB are free there");
            Files.write(disk.path().resolve("other"), new byte[(3 << 20) + 1]);
            isRefused(output, 0, "it takes 1.0 MB or more, and 1.0 MB are free there");
        }
    }

    private void isRefused(String output, long bytes, String why) {
        assertFails(ExitCode.UNAVAILABLE, () -> PreFlight.requireSpace(storage, output, bytes))
                .isEqualTo("Cannot write to --output " + output + ": " + why
                        + "; free some space or choose another place, then run again");
    }
}
