package io.github.rarspark.kernel.tensor;

import java.util.concurrent.atomic.AtomicBoolean;

/**
 * While open, makes libtorch use deterministic algorithms, or fail where it has none. The mode is process-wide: it
 * applies to every thread until the last open instance is closed.
 */
public final class DeterministicMode implements AutoCloseable {
    private final AtomicBoolean open = new AtomicBoolean(true);

    private DeterministicMode() {
        NativeLibrary.load();
        enter();
    }

    /** Turns deterministic algorithms on. */
    public static DeterministicMode open() {
        return new DeterministicMode();
    }

    /** Whether any instance is open. */
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
