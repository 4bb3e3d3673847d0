package io.github.rarspark.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.testing.Processes;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** ShellCheck finds nothing in the project's shell scripts. */
@Tag("distribution")
class ShellScriptsTest {
    private static final Path PROJECT = Path.of("..");
    private static final Set<String> SKIPPED = Set.of("target", ".git");
    private static final Pattern SHELL = Pattern.compile("#!.*\\b(ba)?sh");
    private static final int FIRST_BYTES = 40;

    @TempDir
    private Path folder;

    @Test
    void shellCheckIsContent() throws Exception {
        List<String> command = new ArrayList<>();
        command.add(PythonEnvironment.of("spark").program("shellcheck").toString());
        // Programs of awk and sh are in single quotes on purpose.
        command.addAll(List.of("--exclude=SC2016", "--format=gcc"));
        List<String> scripts = scripts();
        assertThat(scripts).contains("../bin/rar-spark", "../deploy/submit.sh", "../.ci/run");
        command.addAll(scripts);
        Path report = folder.resolve("report");
        Process check = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(report.toFile())
                .start();
        int code = Processes.exitCode(check, Duration.ofSeconds(120));
        assertThat(report).content().isEmpty();
        assertThat(code).isZero();
    }

    private static List<String> scripts() throws IOException {
        List<String> scripts = new ArrayList<>();
        Files.walkFileTree(PROJECT, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) {
                return SKIPPED.contains(directory.getFileName().toString())
                        ? FileVisitResult.SKIP_SUBTREE
                        : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                try (InputStream start = Files.newInputStream(file)) {
                    if (SHELL.matcher(new String(start.readNBytes(FIRST_BYTES), "ISO-8859-1"))
                            .lookingAt()) {
                        scripts.add(file.toString());
                    }
                }
                return FileVisitResult.CONTINUE;
            }
        });
        return scripts;
    }
}
