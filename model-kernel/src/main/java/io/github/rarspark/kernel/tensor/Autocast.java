package io.github.rarspark.kernel.tensor;

import ai.djl.Device;
import io.github.rarspark.kernel.jni.Bridge;

/**
 * Mixed precision on the calling thread while open: matrix products and convolutions run in bfloat16, what needs range
 * stays in float32, weights and gradients keep their type.
 */
public final class Autocast implements AutoCloseable {
    private final boolean cuda;
    private final boolean before;

    private Autocast(boolean cuda) {
        this.cuda = cuda;
        this.before = Bridge.autocastEnter(cuda);
    }

    /** Turns autocast to bfloat16 on for operations on {@code device}. */
    public static Autocast bfloat16(Device device) {
        return new Autocast(device.isGpu());
    }

    @Override
    public void close() {
        Bridge.autocastExit(cuda, before);
    }
}
