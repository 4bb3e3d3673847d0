package io.github.rarspark.kernel.tensor;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import java.util.Collection;

/** The native side of DJL's arrays: {@code torch::Tensor*} in and out. For the kernel's own packages. */
public final class Handles {
    private Handles() {}

    /** The address of the tensor behind {@code array}; fails if the array is closed. */
    public static long of(NDArray array) {
        return ((PtNDArray) array).getHandle();
    }

    /** As {@link #of}, zero for null. */
    public static long ofNullable(NDArray array) {
        return array == null ? 0 : of(array);
    }

    /** The addresses of the tensors behind {@code arrays}, in order. */
    public static long[] of(Collection<NDArray> arrays) {
        return arrays.stream().mapToLong(Handles::of).toArray();
    }

    /** An array that owns the tensor at {@code handle} and belongs to {@code manager}. */
    public static NDArray adopt(NDManager manager, long handle) {
        return new PtNDArray((PtNDManager) manager, handle);
    }

    /** How many native objects other than tensors (stores, groups, reducers) are open in this process. */
    public static long live() {
        NativeLibrary.load();
        return liveObjects();
    }

    private static native long liveObjects();
}
