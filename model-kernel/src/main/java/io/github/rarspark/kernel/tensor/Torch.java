package io.github.rarspark.kernel.tensor;

import ai.djl.Device;
import ai.djl.pytorch.jni.JniUtils;

/** Libtorch's settings and devices. */
public final class Torch {
    private Torch() {}

    /**
     * Sets the number of threads used by an operation that the calling thread starts. Libtorch keeps the number per
     * thread, so every task sets it on its own thread before its first operation.
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

    /** The number of threads used by an operation that the calling thread starts. */
    public static int intraOpThreads() {
        NativeLibrary.load();
        return threads();
    }

    private static native int threads();

    /**
     * Ends the process at once, like {@link Runtime#halt}. That destroys libtorch's static objects first: a thread
     * inside an operation would crash, and the process would end with the crash's code.
     */
    public static void halt(int code) {
        try {
            exitProcess(code);
        } catch (UnsatisfiedLinkError notLoaded) {
            Runtime.getRuntime().halt(code);
        }
    }

    private static native void exitProcess(int code);

    /** The number of GPUs available to the loaded libtorch; 0 if it was built for CPUs only. */
    public static int gpus() {
        NativeLibrary.load();
        return nativeGpus();
    }

    private static native int nativeGpus();

    /** Whether cuDNN, where it is used, computes the same convolution to the same bits each time; always true. */
    static boolean convolutionsAreDeterministic() {
        NativeLibrary.load();
        return deterministicConvolutions();
    }

    private static native boolean deterministicConvolutions();

    /** Waits until {@code device} has done what it was given, so that a clock can be read. A CPU has when it returns. */
    public static void await(Device device) {
        if (device.isGpu()) {
            NativeLibrary.load();
            awaitGpu(device.getDeviceId());
        }
    }

    private static native void awaitGpu(int index);

    /** Frees what libtorch keeps of the memory of closed tensors on this process's GPUs, for other processes there. */
    public static void freeCachedGpuMemory() {
        if (gpus() > 0) {
            JniUtils.emptyCudaCache();
        }
    }
}
