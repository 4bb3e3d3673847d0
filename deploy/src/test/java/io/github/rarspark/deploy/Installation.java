package io.github.rarspark.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.testing.Jvm;
import io.github.rarspark.common.testing.Processes;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarOutputStream;
import java.util.stream.Collectors;

/**
 * An installation of rar-spark that submits jobs to a cluster manager.
 *
 * @param home of the installation; the files of its processes are beside it
 * @param manager the name of the cluster manager's folder in {@code deploy}
 * @param environment of its processes, which have nothing of the test's own Spark
 */
record Installation(Path home, String manager, Map<String, String> environment) {
    private static final Path PROJECT = Path.of("..");
    private static final Duration LIMIT = Duration.ofSeconds(240);

    /** A submission with the file that has what it prints. */
    record Submission(Process process, Path file) {
        /** Asserts that it ends with an exit code. */
        void assertEnds(int code) throws InterruptedException {
            assertThat(process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS))
                    .as("Ends within %s: %s", LIMIT, console())
                    .isTrue();
            assertThat(process.exitValue()).as("%s", console()).isEqualTo(code);
        }

        /** What it has printed. */
        String console() {
            try {
                return Files.readString(file);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /** Installs what a cluster manager needs, with a job jar that is somewhere else. */
    static Installation create(Path home, String manager, Path jar) throws IOException {
        for (String file :
                List.of("bin/rar-spark", "deploy/submit.sh", "deploy/sizes.tsv", "deploy/gpu/libtorch.env")) {
            copy(file, home.resolve(file));
        }
        String folder = "deploy/" + manager + "/";
        for (File file : PROJECT.resolve(folder).toFile().listFiles()) {
            copy(folder + file.getName(), home.resolve(folder + file.getName()));
        }
        Path link = home.resolve("lib/rar-spark.jar");
        Files.createDirectories(link.getParent());
        Files.createSymbolicLink(link, jar.toRealPath());
        Map<String, String> environment = new TreeMap<>();
        environment.put("JAVA_HOME", System.getProperty("java.home"));
        return new Installation(home, manager, environment);
    }

    /** The same with the Spark and the jobs of the test's class path, beside an empty job jar. */
    static Installation ofClassPath(Path home, String manager) throws IOException {
        Installation created = create(home, manager, emptyJar(home.resolveSibling("empty.jar")));
        Path submit = home.resolveSibling("spark/bin/spark-submit");
        Files.createDirectories(submit.getParent());
        Files.writeString(
                submit,
                """
                #!/bin/sh
                exec "$JAVA_HOME/bin/java" -Xmx512m %s -cp "${HADOOP_CONF_DIR:+$HADOOP_CONF_DIR:}%s" \\
                  org.apache.spark.deploy.SparkSubmit "$@"
                """
                        .formatted(Jvm.options().trim(), Jvm.classPath()));
        Files.setPosixFilePermissions(submit, PosixFilePermissions.fromString("rwxr-xr-x"));
        created.environment.put("SPARK_HOME", home.resolveSibling("spark").toString());
        return created;
    }

    /** Writes a jar without an entry. */
    static Path emptyJar(Path jar) throws IOException {
        new JarOutputStream(Files.newOutputStream(jar)).close();
        return jar;
    }

    /** Copies a file of the project. */
    static void copy(String file, Path target) throws IOException {
        Files.createDirectories(target.getParent());
        Files.copy(PROJECT.resolve(file), target, StandardCopyOption.COPY_ATTRIBUTES);
    }

    /**
     * Submits with {@code deploy/MANAGER/submit}.
     *
     * @param name of the submission, for its files
     * @param settings Spark's
     * @param arguments what follows {@code submit}
     */
    Submission submit(Processes processes, String name, Map<String, String> settings, List<String> arguments)
            throws IOException {
        Path conf = Files.writeString(
                home.resolveSibling(name + ".conf"),
                settings.entrySet().stream()
                        .map(setting -> setting.getKey() + " " + setting.getValue() + "\n")
                        .collect(Collectors.joining()));
        List<String> command = new ArrayList<>();
        command.add(home.resolve("deploy").resolve(manager).resolve("submit").toString());
        command.addAll(arguments);
        ProcessBuilder builder = process(name, command);
        builder.environment().put("RAR_SPARK_CONF", conf.toString());
        builder.environment()
                .put("RAR_SPARK_LOG", home.resolveSibling(name + "-driver.log").toString());
        return new Submission(processes.start(builder), log(name));
    }

    /** A process that prints into {@link #log}. */
    ProcessBuilder process(String name, List<String> command) {
        ProcessBuilder process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log(name).toFile());
        process.environment().keySet().removeIf(variable -> variable.startsWith("SPARK_"));
        process.environment().putAll(environment);
        return process;
    }

    /** The file that has what a process prints. */
    Path log(String name) {
        return home.resolveSibling(name + ".log");
    }
}
