package io.github.rarspark.kernel.weights.format;

import io.github.rarspark.kernel.error.DataException;
import java.io.IOException;
import java.nio.channels.FileChannel;

/** A weight file format: bytes to named tensors. Independent of models. */
public interface WeightFormat {
    /** The number of leading bytes that {@link #matches} looks at. */
    int HEAD_BYTES = 16;

    /** The maximum number of tensors in a file: their names and shapes are on the heap. */
    int MOST_TENSORS = 20_000;

    /** The format's name in reports, such as {@code torch_zip}. */
    String name();

    /**
     * Whether a file is of this format, judging by its first bytes.
     *
     * @param head the first {@link #HEAD_BYTES} bytes, or all if the file is shorter
     */
    boolean matches(byte[] head);

    /**
     * Reads and validates a file's structure. The tensors' data is memory-mapped and outlives the channel.
     *
     * @param file the file's name in messages
     * @throws DataException if the file is malformed
     */
    FileContent read(FileChannel channel, String file) throws IOException;
}
