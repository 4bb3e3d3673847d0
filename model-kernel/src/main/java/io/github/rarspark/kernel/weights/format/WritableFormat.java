package io.github.rarspark.kernel.weights.format;

import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import java.util.Map;

/** A format that can also be written. */
public interface WritableFormat extends WeightFormat {
    /**
     * Starts writing a file.
     *
     * @param metadata key-value metadata, ignored by formats that cannot store it; may be empty
     * @param tensors all tensors that will follow, in order
     * @throws IllegalArgumentException if two tensors have the same name, or one has a reserved name
     * @throws IOException if the stream cannot be written to
     */
    TensorWriter begin(OutputStream out, Map<String, String> metadata, List<TensorInfo> tensors) throws IOException;
}
