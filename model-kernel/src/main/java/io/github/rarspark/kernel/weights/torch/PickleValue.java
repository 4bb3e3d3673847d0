package io.github.rarspark.kernel.weights.torch;

import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.weights.format.Text;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The pickled values without a Java type of their own. None is null; a number is a Long, BigInteger or Double, a string
 * a String, and bytes are a byte array.
 */
final class PickleValue {
    private PickleValue() {}

    /** A tuple. Never compared: its items may contain it. */
    static final class Tuple {
        private final List<Object> items;

        Tuple(List<Object> items) {
            this.items = items;
        }

        List<Object> items() {
            return items;
        }
    }

    /** A list, which may contain itself. */
    static final class Sequence {
        private final List<Object> items;

        Sequence(List<Object> items) {
            this.items = items;
        }

        List<Object> items() {
            return items;
        }
    }

    /** A dictionary, whose keys are strings and whole numbers, and which may contain itself. */
    static final class Dictionary {
        private final Map<Object, Object> entries = new LinkedHashMap<>();

        /**
         * Adds an entry.
         *
         * @throws DataException if the key is not a string or whole number, or is a duplicate
         */
        void put(Object key, Object value, String file) {
            if (!(key instanceof String || key instanceof Long)) {
                throw TorchError.malformed(file, "a dictionary has " + kind(key) + " as a key");
            }
            if (entries.containsKey(key)) {
                throw TorchError.malformed(file, "a dictionary has the key " + Text.quote(key.toString()) + " twice");
            }
            entries.put(key, value);
        }

        Map<Object, Object> entries() {
            return entries;
        }
    }

    /** The name of a value's type in messages. */
    static String kind(Object value) {
        if (value == null) {
            return "None";
        } else if (value instanceof Tuple) {
            return "a tuple";
        } else if (value instanceof Sequence) {
            return "a list";
        } else if (value instanceof Dictionary) {
            return "a dictionary";
        } else if (value instanceof String) {
            return "a string";
        } else if (value instanceof Boolean) {
            return "a boolean";
        } else if (value instanceof Number) {
            return "a number";
        } else if (value instanceof byte[]) {
            return "bytes";
        } else if (value instanceof AllowedGlobal global) {
            return global.pythonName();
        } else if (value instanceof TorchStorage) {
            return "a storage";
        } else {
            return "a tensor";
        }
    }
}
