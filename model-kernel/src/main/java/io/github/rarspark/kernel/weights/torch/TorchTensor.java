package io.github.rarspark.kernel.weights.torch;

import ai.djl.ndarray.types.Shape;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.weights.format.StoredTensor;
import io.github.rarspark.kernel.weights.format.TensorInfo;
import io.github.rarspark.kernel.weights.torch.PickleValue.Dictionary;
import io.github.rarspark.kernel.weights.torch.PickleValue.Tuple;
import java.util.List;

/** A tensor that a pickle describes: a view of a storage, checked to lie within it. */
final class TorchTensor {
    private static final int MOST_AXES = 8;

    private final TorchStorage storage;
    private final long offset;
    private final long[] shape;
    private final long[] strides;

    private TorchTensor(TorchStorage storage, long offset, long[] shape, long[] strides) {
        this.storage = storage;
        this.offset = offset;
        this.shape = shape;
        this.strides = strides;
    }

    /**
     * Rebuilds a tensor from the arguments of {@code torch._utils._rebuild_tensor_v2}: storage, offset, size, stride,
     * requires_grad, backward hooks and, optionally, metadata.
     *
     * @throws DataException if the arguments are not of these types, or the tensor exceeds the storage
     */
    static TorchTensor rebuild(List<Object> arguments, String file) {
        if (arguments.size() < 6 || arguments.size() > 7) {
            throw TorchError.malformed(file, "a tensor is rebuilt from " + arguments.size() + " values");
        }
        if (!(arguments.get(0) instanceof TorchStorage storage)) {
            throw TorchError.malformed(
                    file, "a tensor is rebuilt from " + PickleValue.kind(arguments.get(0)) + " instead of a storage");
        }
        if (arguments.get(5) != null
                && !(arguments.get(5) instanceof Dictionary hooks
                        && hooks.entries().isEmpty())) {
            throw TorchError.malformed(file, "a tensor has backward hooks");
        }
        long offset = size(arguments.get(1), "offset", file);
        long[] shape = sizes(arguments.get(2), "size", file);
        long[] strides = sizes(arguments.get(3), "stride", file);
        if (shape.length != strides.length) {
            throw TorchError.malformed(
                    file, "a tensor has " + shape.length + " sizes, but " + strides.length + " strides");
        }
        checkExtent(storage, offset, shape, strides, file);
        return new TorchTensor(storage, offset, shape, strides);
    }

    /** The tensor with its name. */
    StoredTensor named(String name) {
        return new StoredTensor(
                new TensorInfo(name, storage.type(), new Shape(shape)), storage::bytes, offset, strides);
    }

    TorchStorage storage() {
        return storage;
    }

    /** The size of the elements in bytes. */
    long byteCount() {
        long count = storage.type().bytes();
        for (long side : shape) {
            count *= side;
        }
        return count;
    }

    /** A tensor has at most as many elements as its storage, so a file cannot claim more memory than it has bytes. */
    private static void checkExtent(TorchStorage storage, long offset, long[] shape, long[] strides, String file) {
        long elements = 1;
        long last = offset;
        try {
            for (int axis = 0; axis < shape.length; axis++) {
                elements = Math.multiplyExact(elements, shape[axis]);
                last = Math.addExact(last, Math.multiplyExact(Math.max(0, shape[axis] - 1), strides[axis]));
            }
        } catch (ArithmeticException e) {
            throw TorchError.malformed(
                    file,
                    "a tensor of size " + new Shape(shape) + " and stride " + new Shape(strides) + " is too large",
                    e);
        }
        if (elements > storage.elements()) {
            throw TorchError.malformed(
                    file,
                    "a tensor of size " + new Shape(shape) + " has more elements than its storage, which has "
                            + storage.elements());
        }
        if (elements > 0 && last >= storage.elements()) {
            throw TorchError.malformed(
                    file, "a tensor reaches element " + last + " of a storage that has " + storage.elements());
        }
    }

    private static long[] sizes(Object value, String what, String file) {
        if (!(value instanceof Tuple tuple)) {
            throw TorchError.malformed(
                    file, "a tensor's " + what + " is " + PickleValue.kind(value) + " instead of a tuple");
        }
        if (tuple.items().size() > MOST_AXES) {
            throw TorchError.malformed(file, "a tensor has " + tuple.items().size() + " axes");
        }
        return tuple.items().stream().mapToLong(item -> size(item, what, file)).toArray();
    }

    private static long size(Object value, String what, String file) {
        if (!(value instanceof Long number)) {
            throw TorchError.malformed(
                    file, "a tensor's " + what + " holds " + PickleValue.kind(value) + " instead of a whole number");
        }
        if (number < 0) {
            throw TorchError.malformed(file, "a tensor's " + what + " is negative: " + number);
        }
        return number;
    }
}
