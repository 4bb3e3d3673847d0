package io.github.rarspark.deploy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * A Python environment that {@code src/test/python/environments} has made, for tests with the tag {@code distribution}.
 *
 * @param folder of the environment
 */
record PythonEnvironment(Path folder) {
    /** The environment of the requirements in {@code src/test/python/NAME.txt}. */
    static PythonEnvironment of(String name) {
        Path folder = Path.of(System.getProperty("rarspark.test.environments"), name);
        if (!Files.exists(folder.resolve("requirements.txt"))) {
            throw new IllegalStateException(folder + " is not there: run mvn -Pclusters verify, which makes it");
        }
        return new PythonEnvironment(folder);
    }

    /** A program in the environment. */
    Path program(String name) {
        return folder.resolve("bin").resolve(name);
    }

    /** The folder of an installed package. */
    Path installed(String name) throws IOException {
        try (Stream<Path> versions = Files.list(folder.resolve("lib"))) {
            return versions.map(python -> python.resolve("site-packages").resolve(name))
                    .filter(Files::isDirectory)
                    .findFirst()
                    .orElseThrow(() -> new IllegalStateException(folder + " has no package " + name));
        }
    }
}
