package io.github.rarspark.kernel.tensor;

import ai.djl.Device;

/**
 * Mixed precision on the calling thread while open: matrix products and convolutions run in bfloat16, operations that
 * need range or precision stay in float32, weights and gradients keep their type. {@link Precision#autocast} opens it.
 */
public final class Autocast implements AutoCloseable {
    private final Runnable exit;

    private Autocast(Runnable exit) {
        this.exit = exit;
    }

    /** Changes nothing. */
    static Autocast none() {
        return new Autocast(() -> {});
    }

    /** Enables autocast to bfloat16 for operations on {@code device}. */
    static Autocast bfloat16(Device device) {
        boolean cuda = device.isGpu();
        NativeLibrary.load();
        boolean before = enter(cuda);
        return new Autocast(() -> exit(cuda, before));
    }

    @Override
    public void close() {
        exit.run();
    }

    private static native boolean enter(boolean cuda);

    private static native void exit(boolean cuda, boolean before);
}
