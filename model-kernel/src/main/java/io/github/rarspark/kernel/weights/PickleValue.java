package io.github.rarspark.kernel.weights;

import java.util.List;
import java.util.Map;

/**
 * The values of a pickle that Java has no type of its own for. None is null; a number is a Long, BigInteger or Double, a
 * text a String, a list a List, and bytes are a byte array.
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

    /** A dictionary, whose keys are texts and whole numbers, and which may contain itself. */
    static final class Dictionary {
        private final Map<Object, Object> entries;

        Dictionary(Map<Object, Object> entries) {
            this.entries = entries;
        }

        Map<Object, Object> entries() {
            return entries;
        }
    }

    /** What messages call a value. */
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
            return "a text";
        } else if (value instanceof Boolean) {
            return "a truth value";
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
