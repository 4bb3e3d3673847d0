package io.github.rarspark.kernel.weights.torch;

import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.weights.format.FileContent;
import io.github.rarspark.kernel.weights.format.StoredTensor;
import io.github.rarspark.kernel.weights.format.Text;
import io.github.rarspark.kernel.weights.format.WeightFormat;
import io.github.rarspark.kernel.weights.torch.PickleValue.Dictionary;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Extracts the tensors of a PyTorch file: a dictionary of tensors, or one that has such a dictionary as a value. */
final class StateDict {
    /** The key of the weights in checkpoints that hold several dictionaries of tensors. */
    private static final List<String> WEIGHT_KEYS = List.of("state_dict", "model");

    private static final int LONGEST_NOTE = 1000;
    /** The maximum ratio of the tensors' bytes to the storages': few tensors share a storage. */
    private static final int MOST_SHARING = 16;

    private StateDict() {}

    /**
     * Extracts the tensors of a pickled object. Strings and numbers beside them become metadata; other values are
     * ignored.
     *
     * @throws DataException if it holds no dictionary of tensors, or several
     */
    static FileContent of(Object root, String file) {
        if (!(root instanceof Dictionary dictionary)) {
            throw TorchError.malformed(
                    file, "it holds " + PickleValue.kind(root) + " instead of a dictionary of tensors");
        }
        Map<String, String> notes = new LinkedHashMap<>();
        dictionary.entries().forEach((key, value) -> note(notes, key, value));
        List<StoredTensor> tensors = new ArrayList<>();
        Set<TorchStorage> storages = Collections.newSetFromMap(new IdentityHashMap<>());
        long bytes = 0;
        for (Map.Entry<Object, Object> entry :
                weights(dictionary, file).entries().entrySet()) {
            if (entry.getValue() instanceof TorchTensor tensor) {
                if (!(entry.getKey() instanceof String name)) {
                    throw TorchError.malformed(file, "it has a tensor under " + PickleValue.kind(entry.getKey()));
                }
                if (tensors.size() == WeightFormat.MOST_TENSORS) {
                    throw TorchError.malformed(file, "it has more than " + WeightFormat.MOST_TENSORS + " tensors");
                }
                tensors.add(tensor.named(name));
                storages.add(tensor.storage());
                bytes += tensor.byteCount();
            }
        }
        long stored = storages.stream().mapToLong(TorchStorage::byteCount).sum();
        if (bytes > MOST_SHARING * stored) {
            throw TorchError.malformed(
                    file, "its tensors have " + bytes + " bytes, all in the same " + stored + " bytes of storage");
        }
        return new FileContent(notes, tensors);
    }

    private static Dictionary weights(Dictionary root, String file) {
        if (hasTensors(root)) {
            return root;
        }
        List<Object> keys = root.entries().entrySet().stream()
                .filter(entry -> entry.getValue() instanceof Dictionary inner && hasTensors(inner))
                .map(Map.Entry::getKey)
                .toList();
        if (keys.isEmpty()) {
            throw TorchError.malformed(file, "it holds no tensors");
        }
        Object key = keys.size() == 1
                ? keys.get(0)
                : WEIGHT_KEYS.stream()
                        .filter(keys::contains)
                        .findFirst()
                        .orElseThrow(() -> TorchError.malformed(
                                file,
                                "it holds " + keys.size() + " dictionaries of tensors, of which none is called "
                                        + String.join(" or ", WEIGHT_KEYS) + ": the first is "
                                        + Text.quote(keys.get(0).toString())));
        return (Dictionary) root.entries().get(key);
    }

    private static boolean hasTensors(Dictionary dictionary) {
        return dictionary.entries().values().stream().anyMatch(TorchTensor.class::isInstance);
    }

    private static void note(Map<String, String> notes, Object key, Object value) {
        boolean plain = value instanceof String || value instanceof Number || value instanceof Boolean;
        if (key instanceof String name && plain && value.toString().length() <= LONGEST_NOTE) {
            notes.put(name, value.toString());
        }
    }
}
