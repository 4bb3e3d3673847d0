package io.github.rarspark.common.shard;

import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.kernel.error.DataException;
import java.io.IOException;
import java.io.Serializable;

/**
 * A finished shard, as its task reports it and a manifest lists it.
 *
 * @param name its name in the output
 * @param rows how many records it holds
 * @param bytes its length
 * @param sha256 the SHA-256 of the file
 */
public record ShardReceipt(String name, long rows, long bytes, String sha256) implements Serializable {
    /**
     * Checks that the file matches this receipt; reads the whole file.
     *
     * @param path where the shard is
     * @param remedy what to do if it does not match, such as {@code tokenize again into another output}
     * @throws DataException if it does not match
     */
    public void check(Storage storage, String path, String remedy) throws IOException {
        if (!storage.sha256(path).equals(sha256)) {
            throw new DataException("Cannot read " + path + ": its checksum does not match the manifest; " + remedy);
        }
    }
}
