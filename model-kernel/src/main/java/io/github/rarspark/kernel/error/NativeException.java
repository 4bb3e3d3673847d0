package io.github.rarspark.kernel.error;

/** Libtorch refused an operation, or could not be loaded. */
public final class NativeException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** Called by the native bridge with the first line of the C++ exception. */
    public NativeException(String message) {
        super(message);
    }

    /** A failure to load or to reach the native libraries. */
    public NativeException(String message, Throwable cause) {
        super(message, cause);
    }
}
