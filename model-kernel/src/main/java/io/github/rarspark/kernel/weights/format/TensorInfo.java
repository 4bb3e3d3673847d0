package io.github.rarspark.kernel.weights.format;

import ai.djl.ndarray.types.Shape;
import io.github.rarspark.kernel.error.DataException;
import java.util.Objects;

/**
 * Name, element type and shape of a stored tensor.
 *
 * @param name the tensor's key in its file
 * @param type the type of its elements
 * @param shape its sizes, row-major; empty for a scalar
 */
public record TensorInfo(String name, ElementType type, Shape shape) {
    /** Checks that nothing is null and that the size in bytes does not overflow. */
    public TensorInfo {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(type, "type");
        byteCount(name, type, shape.getShape());
    }

    /** Number of elements. */
    public long elements() {
        return bytes() / type.bytes();
    }

    /** Size of the data in bytes. */
    public long bytes() {
        return byteCount(name, type, shape.getShape());
    }

    private static long byteCount(String name, ElementType type, long[] shape) {
        long bytes = type.bytes();
        try {
            for (long side : shape) {
                if (side < 0) {
                    throw new DataException("Tensor " + Text.quote(name) + " has a negative size: " + new Shape(shape));
                }
                bytes = Math.multiplyExact(bytes, side);
            }
        } catch (ArithmeticException e) {
            throw new DataException("Tensor " + Text.quote(name) + " is too large: " + new Shape(shape), e);
        }
        return bytes;
    }
}
