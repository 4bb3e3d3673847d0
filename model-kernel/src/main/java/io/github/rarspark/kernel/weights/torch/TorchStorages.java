package io.github.rarspark.kernel.weights.torch;

import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.weights.format.ElementType;
import io.github.rarspark.kernel.weights.format.MappedRanges;
import io.github.rarspark.kernel.weights.format.MappedRanges.Range;
import io.github.rarspark.kernel.weights.format.Text;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The storages that a pickle refers to, each once, no matter how many tensors share it. */
final class TorchStorages {
    private final String file;
    private final int fields;
    private final Map<String, TorchStorage> byKey = new LinkedHashMap<>();
    private final List<Placed> placed = new ArrayList<>();

    private record Placed(TorchStorage storage, Range range, int crc) {}

    /**
     * Creates an empty collection.
     *
     * @param fields the number of values in a storage's persistent identifier: 5, or 6 in the legacy format; 0 if there
     *     are none
     */
    TorchStorages(String file, int fields) {
        this.file = file;
        this.fields = fields;
    }

    /**
     * The storage of a persistent identifier: {@code ("storage", class, key, device, elements)}, in the legacy format
     * followed by a view of another storage, which is None.
     *
     * @throws DataException if it is not of this form, or contradicts an earlier identifier of the same storage
     */
    TorchStorage named(List<Object> id) {
        if (fields == 0
                || id.size() != fields
                || !"storage".equals(id.get(0))
                || !(id.get(2) instanceof String key)
                || !(id.get(3) instanceof String)
                || !(id.get(4) instanceof Long elements)) {
            throw TorchError.malformed(file, "a storage is not named by its class, key, device and length");
        }
        if (!(id.get(1) instanceof AllowedGlobal global) || global.elements().isEmpty()) {
            throw TorchError.malformed(file, "a storage has " + PickleValue.kind(id.get(1)) + " as its class");
        }
        if (fields == 6 && id.get(5) != null) {
            throw TorchError.malformed(file, "storage " + Text.quote(key) + " is a view of another one");
        }
        ElementType type = global.elements().get();
        if (elements < 0 || elements > Integer.MAX_VALUE / type.bytes()) {
            throw TorchError.malformed(
                    file,
                    "storage " + Text.quote(key) + " has " + elements + " elements of " + type
                            + ", more than the limit of 2 GiB");
        }
        TorchStorage storage = byKey.computeIfAbsent(key, k -> new TorchStorage(k, type, elements));
        if (storage.type() != type || storage.elements() != elements) {
            throw TorchError.malformed(
                    file,
                    "storage " + Text.quote(key) + " is " + type + "[" + elements + "] here and " + storage.type() + "["
                            + storage.elements() + "] elsewhere");
        }
        return storage;
    }

    /** All storages, in the order in which they were first named. */
    Collection<TorchStorage> all() {
        return byKey.values();
    }

    /** The storage of a key; null if there is none. */
    TorchStorage find(String key) {
        return byKey.get(key);
    }

    /**
     * Sets the location of a storage in the file.
     *
     * @throws DataException if the range's length is not the storage's
     */
    void place(TorchStorage storage, Range range, int crc) {
        if (range.length() != storage.byteCount()) {
            throw TorchError.malformed(
                    file,
                    "storage " + Text.quote(storage.key()) + " needs " + storage.byteCount() + " bytes but has "
                            + range.length());
        }
        placed.add(new Placed(storage, range, crc));
    }

    /** Memory-maps all placed storages. */
    void map(FileChannel channel) throws IOException {
        placed.sort(Comparator.comparingLong(one -> one.range().begin()));
        List<ByteBuffer> data =
                MappedRanges.map(channel, placed.stream().map(Placed::range).toList());
        for (int i = 0; i < placed.size(); i++) {
            placed.get(i).storage().attach(data.get(i), placed.get(i).crc(), file);
        }
    }
}
