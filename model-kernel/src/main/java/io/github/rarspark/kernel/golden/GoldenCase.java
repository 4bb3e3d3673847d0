package io.github.rarspark.kernel.golden;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** One kind of golden case: a folder of results computed with a public implementation. */
interface GoldenCase {
    /** The kind's name. */
    String kind();

    /** The names of files that no other kind has: a folder with one of them holds a case of this kind. */
    List<String> files();

    /** Whether the folder holds a case of this kind. */
    default boolean isIn(Path folder) {
        return files().stream().anyMatch(file -> Files.exists(folder.resolve(file)));
    }

    /**
     * Computes and compares every result that the case states.
     *
     * @throws IOException if a file of the case is missing or cannot be read
     */
    List<Check> check(Path folder, GoldenRun run) throws IOException;
}
