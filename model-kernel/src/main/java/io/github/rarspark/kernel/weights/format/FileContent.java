package io.github.rarspark.kernel.weights.format;

import java.util.List;
import java.util.Map;

/**
 * The content of a weight file.
 *
 * @param metadata the file's key-value metadata; empty if it has none
 * @param tensors its tensors in the order of their data, with unique names
 */
public record FileContent(Map<String, String> metadata, List<StoredTensor> tensors) {}
