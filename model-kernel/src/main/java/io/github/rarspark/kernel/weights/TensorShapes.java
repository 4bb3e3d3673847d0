package io.github.rarspark.kernel.weights;

import io.github.rarspark.kernel.weights.format.TensorInfo;
import java.util.Map;
import java.util.function.LongFunction;

/**
 * The shapes of tensors by name, for detecting what they are: missing ones count as 0.
 *
 * @param tensors the tensors of a file
 */
public record TensorShapes(Map<String, TensorInfo> tensors) {
    /** Whether tensors of all these names exist. */
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

    /** The number of consecutive indices, from 0, for which a tensor of that name exists. */
    public long count(LongFunction<String> name) {
        long count = 0;
        while (has(name.apply(count))) {
            count++;
        }
        return count;
    }
}
