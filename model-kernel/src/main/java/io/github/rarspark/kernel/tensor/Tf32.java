package io.github.rarspark.kernel.tensor;

/**
 * While open, lets GPUs round the operands of float32 products and convolutions to TF32, of 10 bits of mantissa instead of
 * 23: several times faster on those that have it, and no longer float32. Without one, float32 is float32. Process-wide: it
 * applies to every thread until the last open instance is closed. CPUs have no TF32.
 */
public final class Tf32 extends ProcessSetting {
    private Tf32(boolean allowed) {
        super(allowed, Tf32::enter, Tf32::exit);
    }

    /** Allows TF32, or changes nothing. */
    public static Tf32 allowed(boolean allowed) {
        return new Tf32(allowed);
    }

    /** Whether it is allowed now. */
    public static boolean isOn() {
        NativeLibrary.load();
        return on();
    }

    private static native void enter();

    private static native void exit();

    private static native boolean on();
}
