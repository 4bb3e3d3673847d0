package io.github.rarspark.kernel.tensor;

import ai.djl.engine.Engine;
import ai.djl.engine.StandardCapabilities;

/** Settings of libtorch, and what it can compute on. */
public final class Torch {
    private Torch() {}

    /**
     * Sets how many threads one operation started on the calling thread uses. Libtorch keeps the number per thread, so
     * every task sets it on its own thread before its first operation.
     *
     * @throws IllegalArgumentException if {@code threads} is not positive
     */
    public static void setIntraOpThreads(int threads) {
        if (threads < 1) {
            throw new IllegalArgumentException("Cannot compute with " + threads + " threads: at least 1 is needed");
        }
        NativeLibrary.load();
        setThreads(threads);
    }

    private static native void setThreads(int threads);

    /** The number of threads of an operation on the calling thread. */
    public static int intraOpThreads() {
        NativeLibrary.load();
        return threads();
    }

    private static native int threads();

    /** How many GPUs the loaded libtorch can compute on; none if it was built for CPUs alone. */
    public static int gpus() {
        Engine engine = Engine.getEngine("PyTorch");
        return engine.hasCapability(StandardCapabilities.CUDA) ? engine.getGpuCount() : 0;
    }
}
