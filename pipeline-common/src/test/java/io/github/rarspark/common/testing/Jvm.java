package io.github.rarspark.common.testing;

import java.io.File;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** JVMs with the class path of the test. */
public final class Jvm {
    private Jvm() {}

    /** A JVM that runs {@code mainClass}, with the options that Spark needs on Java 17 before the given ones. */
    public static ProcessBuilder of(List<String> options, String mainClass, String... arguments) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of(options().trim().split("\\s+")));
        command.addAll(options);
        command.add("-cp");
        command.add(classPath());
        command.add(mainClass);
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command);
    }

    /** The options that Spark needs on Java 17, which the build passes on. */
    public static String options() {
        return System.getProperty("rarspark.test.javaOptions");
    }

    /** The class path with absolute paths, for processes that start elsewhere. */
    public static String classPath() {
        return Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
                .map(part -> Path.of(part).toAbsolutePath().toString())
                .collect(Collectors.joining(File.pathSeparator));
    }
}
