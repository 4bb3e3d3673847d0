package io.github.rarspark.kernel.tensor;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.Collection;
import java.util.List;

/**
 * Owns the tensors of one step and computes them: every result belongs to the scope whose method created it and is
 * freed when that scope is closed. {@link #keep} hands one result on to the enclosing scope.
 *
 * <p>A scope also determines whether operations are recorded for differentiation, on the calling thread until it is
 * closed. Scopes nest; a scope is used and closed by the thread that opened it.
 */
public final class TensorScope extends DecodingOperations implements AutoCloseable {
    private final NDManager manager;
    private final NDManager parent;
    private final boolean recordedBefore;

    private TensorScope(NDManager parent, boolean record) {
        this.parent = parent;
        this.manager = parent.newSubManager();
        this.recordedBefore = setRecording(record);
    }

    /** A scope below {@code parent} in which nothing is recorded for differentiation. */
    public static TensorScope inference(NDManager parent) {
        return new TensorScope(parent, false);
    }

    /** A scope below {@code parent} in which operations on tensors that require gradients are recorded. */
    public static TensorScope training(NDManager parent) {
        return new TensorScope(parent, true);
    }

    /** A scope inside this one, with the same recording. */
    public TensorScope open() {
        boolean recording = setRecording(true);
        setRecording(recording);
        return new TensorScope(manager, recording);
    }

    private static native boolean setRecording(boolean on);

    /** Hands {@code array} to the enclosing scope, so that it outlives this one; returns it. */
    public NDArray keep(NDArray array) {
        array.attach(parent);
        return array;
    }

    /** The manager that owns this scope's tensors. */
    public NDManager manager() {
        return manager;
    }

    /** The device on which this scope creates tensors. */
    public Device device() {
        return manager.getDevice();
    }

    @Override
    public void close() {
        setRecording(recordedBefore);
        manager.close();
    }

    @Override
    NDArray own(long handle) {
        return Handles.adopt(manager, handle);
    }

    // ---- new tensors: copies in libtorch's own memory, while those that DJL makes borrow a buffer of Java's ----

    /** A float32 tensor of the given values, row-major. */
    public NDArray floats(float[] values, long... shape) {
        return own(floats(values, shape, gpu()));
    }

    private static native long floats(float[] values, long[] shape, int gpu);

    /** A float64 tensor of the given values, row-major. */
    public NDArray doubles(double[] values, long... shape) {
        return own(doubles(values, shape, gpu()));
    }

    private static native long doubles(double[] values, long[] shape, int gpu);

    /** An int64 tensor of the given values, row-major. */
    public NDArray longs(long[] values, long... shape) {
        return own(longs(values, shape, gpu()));
    }

    private static native long longs(long[] values, long[] shape, int gpu);

    /** A uint8 tensor of the given values, row-major. */
    public NDArray bytes(byte[] values, long... shape) {
        return own(bytes(values, shape, gpu()));
    }

    private static native long bytes(byte[] values, long[] shape, int gpu);

    /** A float32 tensor of zeros. */
    public NDArray zeros(long... shape) {
        return own(zeros(shape, gpu()));
    }

    private static native long zeros(long[] shape, int gpu);

    /** A tensor of its own memory, on the scope's device, with x's values; detached from the autograd graph. */
    public NDArray copyOf(NDArray x) {
        return own(copyOf(at(x), gpu()));
    }

    private static native long copyOf(long x, int gpu);

    /** The index of the scope's GPU, -1 for a CPU. */
    private int gpu() {
        return device().isGpu() ? device().getDeviceId() : -1;
    }

    // ---- gradients ----

    /** Marks the leaves whose gradients {@link #backward} computes. */
    public static void requireGradients(Collection<NDArray> leaves) {
        NativeLibrary.load();
        requireGradients(Handles.of(leaves));
    }

    private static native void requireGradients(long[] leaves);

    /** Drops existing gradients, so that the next backward pass does not add to them. */
    public static void dropGradients(Collection<NDArray> leaves) {
        NativeLibrary.load();
        dropGradients(Handles.of(leaves));
    }

    private static native void dropGradients(long[] leaves);

    /** The values of {@code x} as a leaf whose gradient {@link #backward} computes; what computed x is not recorded in it. */
    public NDArray leaf(NDArray x) {
        NDArray leaf = detach(x);
        requireGradients(List.of(leaf));
        return leaf;
    }

    /** Adds the gradients of the scalar {@code loss} to those of the leaves it depends on. */
    public void backward(NDArray loss) {
        backward(Handles.of(List.of(loss)), new long[0]);
    }

    /** As {@link #backward(NDArray)} for outputs of any shape, from the gradients with respect to them. */
    public void backward(List<NDArray> outputs, List<NDArray> gradients) {
        backward(Handles.of(outputs), Handles.of(gradients));
    }

    private static native void backward(long[] outputs, long[] gradients);

    /**
     * The gradient of a leaf; it shares the leaf's gradient storage.
     *
     * @throws io.github.rarspark.kernel.error.NativeException if the leaf has no gradient
     */
    public NDArray gradient(NDArray leaf) {
        return own(gradient(at(leaf)));
    }

    private static native long gradient(long leaf);
}
