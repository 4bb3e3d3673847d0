package io.github.rarspark.kernel.tensor;

/**
 * While open, makes libtorch use deterministic algorithms, or fail where it has none. The mode is process-wide: it
 * applies to every thread until the last open instance is closed.
 */
public final class DeterministicMode extends ProcessSetting {
    private DeterministicMode() {
        super(true, DeterministicMode::enter, DeterministicMode::exit);
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

    private static native void enter();

    private static native void exit();

    private static native boolean on();
}
