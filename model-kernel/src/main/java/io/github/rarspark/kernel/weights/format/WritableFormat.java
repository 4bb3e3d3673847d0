package io.github.rarspark.kernel.weights.format;

import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import java.util.Map;

/** A format that files are also written in. */
public interface WritableFormat extends WeightFormat {
    /**
     * Begins a file.
     *
     * @param metadata key-value text for the file's readers, which a format may have no room for; may be empty
     * @param tensors all tensors that will follow, in their order
     * @throws IllegalArgumentException if two tensors have one name, or one has a name that the format reserves
     * @throws IOException if the stream cannot be written to
     */
    TensorWriter begin(OutputStream out, Map<String, String> metadata, List<TensorInfo> tensors) throws IOException;
}
