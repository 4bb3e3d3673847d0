package io.github.rarspark.kernel.error;

/** A libtorch operation failed. */
public sealed class NativeException extends RuntimeException
        permits GpuContextException, NativeLoadException, NativeMemoryException {
    private static final long serialVersionUID = 1;

    /** Called by the native bridge with the first line of the C++ exception. */
    public NativeException(String message) {
        super(message);
    }

    NativeException(String message, Throwable cause) {
        super(message, cause);
    }
}
