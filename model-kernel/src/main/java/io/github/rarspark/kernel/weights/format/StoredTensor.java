package io.github.rarspark.kernel.weights.format;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.function.Supplier;

/**
 * A tensor in its file: a view of a storage, which other tensors may share. The creator ensures that the view lies
 * within the storage.
 */
public final class StoredTensor {
    private final TensorInfo info;
    private final Supplier<ByteBuffer> storage;
    private final long offset;
    private final long[] strides;

    /**
     * Creates a view of a storage.
     *
     * @param storage its bytes, little-endian
     * @param offset the first element's index in the storage
     * @param strides for each axis, the distance between neighbours in elements
     */
    public StoredTensor(TensorInfo info, Supplier<ByteBuffer> storage, long offset, long[] strides) {
        this.info = info;
        this.storage = storage;
        this.offset = offset;
        this.strides = strides.clone();
    }

    /** A contiguous, row-major tensor. */
    public static StoredTensor contiguous(TensorInfo info, ByteBuffer data) {
        return new StoredTensor(
                info, () -> data, 0, contiguousStrides(info.shape().getShape()));
    }

    /** The strides of a contiguous, row-major tensor. */
    public static long[] contiguousStrides(long[] shape) {
        long[] strides = new long[shape.length];
        long stride = 1;
        for (int axis = shape.length - 1; axis >= 0; axis--) {
            strides[axis] = stride;
            stride *= Math.max(1, shape[axis]);
        }
        return strides;
    }

    /** Its name, type and shape. */
    public TensorInfo info() {
        return info;
    }

    /**
     * The tensor's bytes, row-major, read-only and little-endian: a slice of the storage if it is contiguous, else a
     * copy.
     */
    public ByteBuffer data() {
        int elementBytes = info.type().bytes();
        int bytes = (int) info.bytes();
        if (bytes == 0) {
            return ByteBuffer.allocateDirect(0).order(ByteOrder.LITTLE_ENDIAN);
        }
        long[] shape = info.shape().getShape();
        int outer = shape.length;
        long run = 1;
        while (outer > 0 && (shape[outer - 1] == 1 || strides[outer - 1] == run)) {
            run *= shape[--outer];
        }
        ByteBuffer source = storage.get();
        ByteBuffer data = outer == 0
                ? source.slice((int) (offset * elementBytes), bytes)
                : gather(source, outer, (int) run * elementBytes);
        return data.asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Copies runs of dense bytes, one for each index of the first {@code outer} axes. */
    private ByteBuffer gather(ByteBuffer source, int outer, int runBytes) {
        int elementBytes = info.type().bytes();
        ByteBuffer dense = ByteBuffer.allocateDirect((int) info.bytes());
        long[] index = new long[outer];
        long position = offset;
        for (int written = 0; written < dense.capacity(); written += runBytes) {
            dense.put(written, source, (int) (position * elementBytes), runBytes);
            for (int axis = outer - 1; axis >= 0; axis--) {
                position += strides[axis];
                index[axis]++;
                long size = info.shape().get(axis);
                if (index[axis] < size) {
                    break;
                }
                position -= strides[axis] * size;
                index[axis] = 0;
            }
        }
        return dense;
    }
}
