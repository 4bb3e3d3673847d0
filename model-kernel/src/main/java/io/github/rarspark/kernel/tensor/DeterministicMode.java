package io.github.rarspark.kernel.tensor;

import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Makes libtorch choose deterministic algorithms, or fail where it has none, while open. The mode is one for the process:
 * it holds for every thread, and ends when the last of those who demand it closes.
 */
public final class DeterministicMode implements AutoCloseable {
    private final AtomicBoolean open = new AtomicBoolean(true);

    private DeterministicMode() {
        NativeLibrary.load();
        enter();
    }

    /** Demands deterministic algorithms. */
    public static DeterministicMode open() {
        return new DeterministicMode();
    }

    /** Whether anyone demands them. */
    public static boolean isOn() {
        NativeLibrary.load();
        return on();
    }

    @Override
    public void close() {
        if (open.compareAndSet(true, false)) {
            exit();
        }
    }

    private static native void enter();

    private static native void exit();

    private static native boolean on();
}
