package io.github.rarspark.kernel.weights.format;

import io.github.rarspark.kernel.error.DataException;
import java.io.IOException;
import java.nio.channels.FileChannel;

/** A format of weight files: bytes to named tensors. It knows nothing of models. */
public interface WeightFormat {
    /** How many bytes at a file's start {@link #matches} is asked about. */
    int HEAD_BYTES = 16;

    /** The most tensors of a file: their names and shapes are in the heap. */
    int MOST_TENSORS = 20_000;

    /** The format's name in reports, such as {@code torch_zip}. */
    String name();

    /**
     * Whether a file is of this format, by its first bytes.
     *
     * @param head the first {@link #HEAD_BYTES} bytes, or all if the file is shorter
     */
    boolean matches(byte[] head);

    /**
     * Reads and checks a file's structure. The tensors' data is mapped into memory and outlives the channel.
     *
     * @param file what messages call the file
     * @throws DataException if the file is malformed
     */
    FileContent read(FileChannel channel, String file) throws IOException;
}
