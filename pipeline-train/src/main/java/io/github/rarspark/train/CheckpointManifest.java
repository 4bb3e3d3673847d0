package io.github.rarspark.train;

import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.storage.Stored;
import io.github.rarspark.common.weights.WeightFile;
import io.github.rarspark.kernel.error.DataException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.Serializable;
import java.util.List;

/**
 * {@code manifest.json} of a checkpoint: it is whole, and from this run.
 *
 * @param step updates made
 * @param attempt of the run that wrote it
 * @param plan hash of the run's plan
 * @param files name, length and hash of each file
 */
record CheckpointManifest(long step, int attempt, String plan, List<File> files) {
    static final String NAME = "manifest.json";

    /** A file of the checkpoint. */
    record File(String name, long bytes, String sha256) implements Serializable {
        static File of(Stored stored) {
            return new File(Storage.name(stored.path()), stored.bytes(), stored.sha256());
        }

        /** What is wrong with the file in {@code directory}, which it reads; empty if nothing. */
        String defect(Storage storage, String directory) throws IOException {
            String path = Storage.child(directory, name);
            try {
                long length = storage.length(path);
                if (length != bytes) {
                    return name + " has " + length + " bytes instead of " + bytes;
                }
                return storage.sha256(path).equals(sha256) ? "" : name + " does not match its checksum";
            } catch (FileNotFoundException e) {
                return name + " is missing";
            }
        }
    }

    /** Whether the checkpoint has a file of this name. */
    boolean lists(String name) {
        return files.stream().anyMatch(file -> file.name().equals(name));
    }

    /** A weight file of the checkpoint in {@code directory}. */
    WeightFile weights(String name, String directory) {
        File listed = files.stream()
                .filter(file -> file.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new DataException("The checkpoint in " + directory + " lists no " + name));
        return new WeightFile(Storage.child(directory, name), listed.bytes(), listed.sha256());
    }
}
