package io.github.rarspark.common.shard;

import io.github.rarspark.common.storage.Sha256;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.kernel.error.DataException;
import java.io.IOException;
import java.io.InputStream;
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
    private static final int MAX_CONTENT_BYTES = Integer.MAX_VALUE - 8;

    /**
     * Checks that the file matches this receipt; reads the whole file.
     *
     * @param path where the shard is
     * @param remedy what to do if it does not match, such as {@code tokenize again into another output}
     * @throws DataException if it does not match
     */
    public void check(Storage storage, String path, String remedy) throws IOException {
        if (!storage.sha256(path).equals(sha256)) {
            throw mismatch(path, remedy);
        }
    }

    /**
     * The file's content, which matches this receipt; reads it once.
     *
     * @param path where the shard is
     * @param remedy what to do if it does not match, such as {@code tokenize again into another output}
     * @throws DataException if it does not match, or is too large for an array
     */
    public byte[] content(Storage storage, String path, String remedy) throws IOException {
        if (bytes > MAX_CONTENT_BYTES) {
            throw new DataException(
                    "Cannot read " + path + ": its " + bytes + " bytes are too many for one shard; " + remedy);
        }
        byte[] content = new byte[(int) bytes];
        try (InputStream in = storage.open(path)) {
            boolean whole = in.readNBytes(content, 0, content.length) == content.length && in.read() < 0;
            if (!whole || !Sha256.of(content).equals(sha256)) {
                throw mismatch(path, remedy);
            }
        }
        return content;
    }

    private static DataException mismatch(String path, String remedy) {
        return new DataException("Cannot read " + path + ": its checksum does not match the manifest; " + remedy);
    }
}
