package io.github.rarspark.common.testing;

import java.nio.file.Path;

/** Local paths as Hadoop and thus messages name them. */
public final class LocalUri {
    private LocalUri() {}

    /** Such as {@code file:/tmp/x}; of a directory that exists it ends with a slash. */
    public static String of(Path path) {
        return path.toUri().toString().replace("file:///", "file:/");
    }
}
