package io.github.rarspark.cli.doctor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rarspark.common.JobException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DiscoveryScriptTest {
    @TempDir
    private Path folder;

    private Path script(String permissions, String command) throws IOException {
        Path script = folder.resolve("discover");
        Files.writeString(script, "#!/bin/sh\n" + command + "\n");
        return Files.setPosixFilePermissions(script, PosixFilePermissions.fromString(permissions));
    }

    @Test
    void itPrintsAddresses() throws Exception {
        Path script = script("rwxr-xr-x", "echo '{\"name\": \"gpu\", \"addresses\": [\"0\", \"GPU-7\"]}'");
        assertThat(DiscoveryScript.run(script)).isEqualTo("0,GPU-7");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "rwxr-xr-x | echo broken >&2; exit 69 | it ended with 69: broken",
                "rwxr-xr-x | echo 2 GPUs             | it prints 2 GPUs instead of",
                "rwxr-xr-x | true                    | it prints nothing instead of",
                "rw-r--r-- | true                    | it is not executable"
            })
    void whatIsWrongWithItIsSaid(String permissions, String command, String message) throws IOException {
        Path script = script(permissions, command);
        assertThatThrownBy(() -> DiscoveryScript.run(script))
                .isInstanceOf(JobException.class)
                .hasMessageContaining(message);
    }

    @Test
    void aMissingOneIsSaid() {
        assertThatThrownBy(() -> DiscoveryScript.run(folder.resolve("none")))
                .hasMessageContaining("does not exist on this machine");
    }
}
