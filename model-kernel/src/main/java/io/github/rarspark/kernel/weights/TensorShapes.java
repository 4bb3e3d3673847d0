package io.github.rarspark.kernel.weights;

import io.github.rarspark.kernel.weights.format.TensorInfo;
import java.util.Map;
import java.util.function.LongFunction;

/**
 * The shapes of tensors by name, for guesses at what they are: what is not there counts as 0.
 *
 * @param tensors the tensors of a file
 */
public record TensorShapes(Map<String, TensorInfo> tensors) {
    /** Whether there are tensors of all these names. */
    public boolean has(String... names) {
        for (String name : names) {
            if (!tensors.containsKey(name)) {
                return false;
            }
        }
        return true;
    }

    /** A tensor's size along an axis; 0 if there is no such tensor or axis. */
    public long size(String name, int axis) {
        TensorInfo info = tensors.get(name);
        return info == null || info.shape().dimension() <= axis
                ? 0
                : info.shape().get(axis);
    }

    /** How many of the names of 0, 1, 2... there are before the first that is not. */
    public long count(LongFunction<String> name) {
        long count = 0;
        while (has(name.apply(count))) {
            count++;
        }
        return count;
    }
}
