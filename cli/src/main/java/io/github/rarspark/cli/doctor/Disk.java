package io.github.rarspark.cli.doctor;

import java.io.IOException;
import java.io.Serializable;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A folder of a machine.
 *
 * @param path its path
 * @param freeBytes the space that this process may still use; -1 if nothing can be written there
 * @param error why nothing can be written; null if it can
 */
record Disk(String path, long freeBytes, String error) implements Serializable {

    /** Writes a small file into the folder, which is created if it does not exist, and removes it. */
    static Disk probe(Path folder) {
        try {
            Files.createDirectories(folder);
            Path file = Files.createTempFile(folder, "rar-doctor", null);
            try {
                Files.write(file, new byte[1]);
            } finally {
                Files.delete(file);
            }
            return new Disk(folder.toString(), Files.getFileStore(folder).getUsableSpace(), null);
        } catch (IOException e) {
            return new Disk(folder.toString(), -1, e.toString());
        }
    }
}
