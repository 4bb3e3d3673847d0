package io.github.rarspark.kernel.weights;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.weights.format.TensorInfo;
import io.github.rarspark.kernel.weights.format.Text;
import java.nio.ByteBuffer;
import java.util.Arrays;

/** Copies a file's tensors into libtorch's memory. */
final class TensorCopies {
    /** Elements converted at a time, which bounds the heap that conversions take. */
    private static final int CHUNK = 1 << 20;

    private TensorCopies() {}

    /** A tensor of the same element type. */
    static NDArray same(TensorInfo info, DataType type, ByteBuffer data, NDManager manager) {
        if (info.elements() == 0) {
            return manager.zeros(info.shape(), type);
        }
        // DJL adopts a direct buffer as the tensor's memory, and the pages of a mapped file are read-only.
        try (NDArray view = manager.create(data, info.shape(), type)) {
            return view.duplicate();
        }
    }

    /**
     * A tensor of booleans. In C++, a bool that is neither 0 nor 1 is undefined behaviour.
     *
     * @throws DataException if one is neither
     */
    static NDArray booleans(TensorInfo info, ByteBuffer data, String file, NDManager manager) {
        ByteBuffer bytes = data.duplicate();
        while (bytes.hasRemaining()) {
            byte value = bytes.get();
            if (value != 0 && value != 1) {
                throw new DataException("Tensor " + Text.quote(info.name()) + " of " + file + " has the boolean value "
                        + value + ", which is neither 0 nor 1");
            }
        }
        return same(info, DataType.BOOLEAN, data, manager);
    }

    /** A tensor of F16 or BF16, converted to single precision. */
    static NDArray widened(TensorInfo info, ByteBuffer data, NDManager manager) {
        long elements = info.elements();
        float[] chunk = new float[(int) Math.min(CHUNK, elements)];
        try (TensorScope s = TensorScope.inference(manager)) {
            NDArray values = s.zeros(elements);
            for (long done = 0; done < elements; done += chunk.length) {
                int count = (int) Math.min(chunk.length, elements - done);
                Elements.read(info.type(), data, chunk, count);
                try (TensorScope part = s.open()) {
                    part.copy(part.narrow(values, 0, done, count), part.floats(Arrays.copyOf(chunk, count), count));
                }
            }
            return s.keep(s.reshape(values, info.shape().getShape()));
        }
    }
}
