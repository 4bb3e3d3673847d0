package io.github.rarspark.common;

import java.io.Closeable;
import java.io.IOException;

/** Resources that are closed together. */
public final class Closeables {
    private Closeables() {}

    /** Closes all, even if some fail; then throws the first failure, which has the others as suppressed exceptions. */
    public static void closeAll(Iterable<? extends Closeable> all) throws IOException {
        Exception failure = null;
        for (Closeable each : all) {
            try {
                each.close();
            } catch (IOException | RuntimeException e) {
                if (failure == null) {
                    failure = e;
                } else {
                    failure.addSuppressed(e);
                }
            }
        }
        if (failure instanceof IOException io) {
            throw io;
        }
        if (failure instanceof RuntimeException runtime) {
            throw runtime;
        }
    }
}
