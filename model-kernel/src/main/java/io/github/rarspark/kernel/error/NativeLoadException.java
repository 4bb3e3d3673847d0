package io.github.rarspark.kernel.error;

/** Libtorch or the bridge to it cannot be loaded on this machine. */
public final class NativeLoadException extends NativeException {
    private static final long serialVersionUID = 1;

    /** One line: what cannot be loaded and why. */
    public NativeLoadException(String message, Throwable cause) {
        super(message, cause);
    }
}
