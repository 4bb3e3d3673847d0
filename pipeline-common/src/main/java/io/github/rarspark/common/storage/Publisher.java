package io.github.rarspark.common.storage;

import java.io.IOException;
import java.util.Optional;
import org.apache.hadoop.fs.Path;

/** How one kind of file system makes an object appear atomically. */
interface Publisher {
    /** The prefix of the names of unfinished objects. */
    String TEMPORARY_PREFIX = "._rar-";

    /**
     * Writes the object {@code target}. If there is one already, {@code existing} decides whether it stays.
     *
     * @param target a full URI that is not a directory
     * @return what was written; empty if the existing object stays
     */
    Optional<Stored> publish(Path target, ContentWriter writer, ExistingObject existing) throws IOException;

    /** Runs an action after a failure; if it fails too, that is suppressed in {@code failure}. */
    static void cleanUp(Throwable failure, CleanUp action) {
        try {
            action.run();
        } catch (IOException | RuntimeException e) {
            failure.addSuppressed(e);
        }
    }

    /** An action after a failure. */
    @FunctionalInterface
    interface CleanUp {
        void run() throws IOException;
    }
}
