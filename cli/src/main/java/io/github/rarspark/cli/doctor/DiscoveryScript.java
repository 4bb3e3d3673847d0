package io.github.rarspark.cli.doctor;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.apache.spark.resource.ResourceInformation;

/** The script by which Spark asks a machine for its GPUs. */
final class DiscoveryScript {
    private static final long LIMIT_SECONDS = 60;

    private DiscoveryScript() {}

    /**
     * Runs the script as Spark does.
     *
     * @return the addresses that it prints, separated by commas
     * @throws JobException if it cannot be run, fails, takes too long or prints something else
     */
    static String run(Path script) throws IOException, InterruptedException {
        if (!Files.exists(script)) {
            throw failure(script, "it does not exist on this machine");
        }
        if (!Files.isExecutable(script)) {
            throw failure(script, "it is not executable");
        }
        Path output = Files.createTempFile("rar-doctor", ".json");
        Path errors = Files.createTempFile("rar-doctor", ".err");
        try {
            Process process = new ProcessBuilder(script.toString())
                    .redirectOutput(output.toFile())
                    .redirectError(errors.toFile())
                    .start();
            if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw failure(script, "it has not ended within " + LIMIT_SECONDS + " s");
            }
            String printed = Files.readString(output, StandardCharsets.UTF_8).strip();
            if (process.exitValue() != 0) {
                throw failure(
                        script, "it ended with " + process.exitValue() + ": " + firstLine(Files.readString(errors)));
            }
            return addresses(script, printed);
        } finally {
            Files.delete(output);
            Files.delete(errors);
        }
    }

    private static String addresses(Path script, String printed) {
        try {
            return String.join(",", ResourceInformation.parseJson(printed).addresses());
        } catch (Exception e) { // Spark throws a checked one, undeclared
            throw failure(
                    script,
                    "it prints " + firstLine(printed) + " instead of {\"name\": \"gpu\", \"addresses\": [...]}");
        }
    }

    private static String firstLine(String text) {
        return text.lines().findFirst().orElse("nothing");
    }

    private static JobException failure(Path script, String reason) {
        return new JobException(ExitCode.UNAVAILABLE, "Cannot run " + script + ": " + reason);
    }
}
