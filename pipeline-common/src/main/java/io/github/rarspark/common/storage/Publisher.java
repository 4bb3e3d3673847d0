package io.github.rarspark.common.storage;

import java.io.IOException;
import java.util.Optional;
import org.apache.hadoop.fs.Path;

/** How one kind of file system makes an object appear whole or not at all. */
interface Publisher {
    /** The beginning of the name of an unfinished object. */
    String TEMPORARY_PREFIX = "._rar-";

    /**
     * Writes the object {@code target}. If there is one already, {@code existing} decides whether it stays.
     *
     * @param target a full URI that is no directory
     * @return what was written; empty if the object of before stays
     */
    Optional<Stored> publish(Path target, Storage.Writer writer, Storage.Existing existing) throws IOException;

    /** An action after a failure; its own failure is noted in {@code failure}. */
    static void cleanUp(Throwable failure, CleanUp action) {
        try {
            action.run();
        } catch (IOException | RuntimeException e) {
            failure.addSuppressed(e);
        }
    }

    /** What is done after a failure. */
    @FunctionalInterface
    interface CleanUp {
        void run() throws IOException;
    }
}
