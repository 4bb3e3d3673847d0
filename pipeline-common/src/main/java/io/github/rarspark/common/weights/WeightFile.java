package io.github.rarspark.common.weights;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.run.PreFlight;
import io.github.rarspark.common.storage.Sha256;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.weights.TensorFile;
import java.io.IOException;
import java.io.InputStream;
import java.io.Serializable;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.util.HexFormat;

/**
 * A weight file that tasks read, identified by its content.
 *
 * @param path its URI
 * @param bytes its length
 * @param sha256 the SHA-256 of its content
 */
public record WeightFile(String path, long bytes, String sha256) implements Serializable {
    /** The name of the weights of a finished training run. */
    private static final String TRAINED = "model.safetensors";

    /**
     * The weight file that an option names; reads it whole, for its hash.
     *
     * @param option such as {@code --weights}
     * @throws JobException {@link ExitCode#NO_INPUT} if it is missing or a folder
     */
    public static WeightFile given(Storage storage, String option, String path) throws IOException {
        require(storage, option, path);
        return of(storage, path);
    }

    /**
     * Checks that a weight file exists, without reading it.
     *
     * @param option such as {@code --weights}
     * @throws JobException {@link ExitCode#NO_INPUT} if it is missing or a folder
     */
    public static void require(Storage storage, String option, String path) throws IOException {
        PreFlight.requireInput(storage, option, path);
        if (storage.isDirectory(path)) {
            String trained = Storage.child(path, TRAINED);
            throw new JobException(
                    ExitCode.NO_INPUT,
                    "Cannot read " + option + " " + path + ": it is a folder; give "
                            + (storage.exists(trained) ? trained : "a weight file"));
        }
    }

    /**
     * The weight file at {@code path}; reads it whole, for its hash.
     *
     * @throws java.io.FileNotFoundException if there is none
     */
    public static WeightFile of(Storage storage, String path) throws IOException {
        return new WeightFile(storage.qualify(path), storage.length(path), storage.sha256(path));
    }

    /**
     * Reads the file, in any format of weights.
     *
     * @throws DataException if it is malformed, or its content has changed
     */
    public TensorFile read(Storage storage) throws IOException {
        MessageDigest digest = Sha256.digest();
        try (InputStream in = new DigestInputStream(storage.open(path), digest)) {
            TensorFile file = TensorFile.open(in, path);
            if (!HexFormat.of().formatHex(digest.digest()).equals(sha256)) {
                throw new DataException("Cannot use " + path + ": it was replaced while the job ran; run again");
            }
            return file;
        }
    }

    /** The key under which an executor shares what is built from this file; see {@link WeightsCache.Key}. */
    public WeightsCache.Key key(String kind, String device) {
        return new WeightsCache.Key(kind, sha256, device);
    }
}
