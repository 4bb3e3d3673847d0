package io.github.rarspark.cli;

import io.github.rarspark.common.testing.Processes;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Runs scripts of the project with nothing on the PATH but fakes and the tools that a test names. */
final class Scripts {
    private final Path folder;
    private final Path path;
    private final Map<String, String> environment = new HashMap<>();

    /** How a script ended, and the lines that it printed. */
    record Run(int code, List<String> out, List<String> err) {}

    /** @param folder for the PATH and what scripts print */
    Scripts(Path folder, List<String> tools) throws IOException {
        this.folder = folder;
        this.path = Files.createDirectories(folder.resolve("path"));
        for (String tool : tools) {
            Path real = Stream.of("/usr/bin", "/bin")
                    .map(place -> Path.of(place, tool))
                    .filter(Files::exists)
                    .findFirst()
                    .orElseThrow(() -> new IOException(tool + " is not on this machine"));
            script(path.resolve(tool), "/bin/sh", "exec " + real + " \"$@\"");
        }
    }

    /** Puts a script into the PATH, in bash. */
    void fake(String name, String text) throws IOException {
        script(path.resolve(name), "/usr/bin/env bash", text);
    }

    /** Takes a tool or a fake out of the PATH. */
    void remove(String name) throws IOException {
        Files.delete(path.resolve(name));
    }

    /** Sets a variable of the scripts' environment, which has nothing else but the PATH. */
    void set(String variable, String value) {
        environment.put(variable, value);
    }

    /** Writes an executable file. */
    static void script(Path file, String interpreter, String text) throws IOException {
        Files.createDirectories(file.getParent());
        Files.writeString(file, "#!" + interpreter + "\n" + text + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    Run run(String... command) throws Exception {
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectOutput(folder.resolve("out").toFile())
                .redirectError(folder.resolve("err").toFile());
        builder.environment().clear();
        builder.environment().put("PATH", path.toString());
        builder.environment().putAll(environment);
        int code = Processes.exitCode(builder.start(), Duration.ofSeconds(120));
        return new Run(code, lines("out"), lines("err"));
    }

    /** The lines of a file in the folder; none if it does not exist. */
    List<String> lines(String name) throws IOException {
        Path file = folder.resolve(name);
        return Files.exists(file) ? Files.readAllLines(file, StandardCharsets.UTF_8) : List.of();
    }
}
