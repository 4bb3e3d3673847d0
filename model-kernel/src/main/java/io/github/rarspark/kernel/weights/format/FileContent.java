package io.github.rarspark.kernel.weights.format;

import java.util.List;
import java.util.Map;

/**
 * What a weight file holds.
 *
 * @param metadata the file's own key-value text; empty if it has none
 * @param tensors its tensors in the order of their data, each under a name of its own
 */
public record FileContent(Map<String, String> metadata, List<StoredTensor> tensors) {}
