package io.github.rarspark.cli.doctor;

import io.github.rarspark.common.storage.Storage;
import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.UUID;

/**
 * A folder of an output in which processes try the storage, and which is gone afterwards.
 *
 * @param storage of the output
 * @param path its URI; null to leave the storage out
 * @param created the output if it was not there before, else null
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
            removeIfEmpty();
        }
    }

    /** Only of local files: object stores have no empty folders, and HDFS's is as good to a job as none. */
    private void removeIfEmpty() throws IOException {
        Optional<Path> folder = created == null ? Optional.empty() : storage.localPath(created);
        if (folder.isPresent()) {
            try {
                Files.deleteIfExists(folder.get());
            } catch (DirectoryNotEmptyException e) {
                // A job has begun there meanwhile.
            }
        }
    }
}
