package io.github.rarspark.kernel.tensor;

import ai.djl.engine.Engine;
import ai.djl.engine.StandardCapabilities;
import io.github.rarspark.kernel.jni.Bridge;

/** Settings of libtorch. */
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
        Bridge.setIntraOpThreads(threads);
    }

    /** The number of threads of an operation on the calling thread. */
    public static int intraOpThreads() {
        return Bridge.intraOpThreads();
    }

    /** Makes libtorch choose deterministic algorithms, or fail where it has none. Holds for the process. */
    public static void setDeterministic(boolean on) {
        Bridge.setDeterministic(on);
    }

    /** Whether deterministic algorithms are demanded. */
    public static boolean isDeterministic() {
        return Bridge.isDeterministic();
    }

    /** How many GPUs the loaded libtorch can compute on; none if it was built for CPUs alone. */
    public static int gpus() {
        Engine engine = Engine.getEngine("PyTorch");
        return engine.hasCapability(StandardCapabilities.CUDA) ? engine.getGpuCount() : 0;
    }

    /** The SHA-256 of the sources that the loaded bridge was built from, in hexadecimal. */
    public static String bridgeSourceHash() {
        return Bridge.sourceHash();
    }
}
