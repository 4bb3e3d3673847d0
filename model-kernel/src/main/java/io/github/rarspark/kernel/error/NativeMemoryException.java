package io.github.rarspark.kernel.error;

/** Libtorch could not allocate memory for a tensor, on a CPU or a GPU. */
public final class NativeMemoryException extends NativeException {
    private static final long serialVersionUID = 1;

    /** Called by the native bridge with the first line of the C++ exception. */
    public NativeMemoryException(String message) {
        super(message);
    }

    private NativeMemoryException(String message, Throwable cause) {
        super(message, cause);
    }

    /** The same failure with the advice to lower {@code settings}, which control how much is computed at once. */
    public NativeMemoryException lowering(String settings) {
        return new NativeMemoryException(
                "Out of memory for tensors: lower " + settings + " (" + getMessage() + ")", this);
    }
}
