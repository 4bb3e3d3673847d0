package io.github.rarspark.cli.doctor;

import io.github.rarspark.common.storage.Storage;
import java.io.IOException;
import java.util.UUID;

/**
 * A folder of an output in which processes try the storage, and which is gone afterwards.
 *
 * @param storage of the output
 * @param path its URI; null to leave the storage out
 * @param created the folders that were not there before; null if all were
 */
record ProbedFolder(Storage storage, String path, String created) implements AutoCloseable {

    /** A folder in {@code output}; none if that is empty. */
    static ProbedFolder in(Storage storage, String output) throws IOException {
        if (output.isEmpty()) {
            return new ProbedFolder(storage, null, null);
        }
        String path = Storage.child(output, "_doctor-" + UUID.randomUUID());
        return new ProbedFolder(storage, path, storage.exists(output) ? null : output);
    }

    /** What to try there; null to leave the storage out. */
    StorageProbe probe(int bytes) {
        return path == null ? null : new StorageProbe(storage, path, bytes);
    }

    @Override
    public void close() throws IOException {
        if (path != null) {
            storage.delete(path);
            if (created != null
                    && storage.files(created).isEmpty()
                    && storage.directories(created).isEmpty()) {
                storage.delete(created);
            }
        }
    }
}
