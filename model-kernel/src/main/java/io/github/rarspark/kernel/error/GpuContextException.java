package io.github.rarspark.kernel.error;

/** CUDA fails whatever this process asks of the GPU; another process may not find it so. */
public final class GpuContextException extends NativeException {
    private static final long serialVersionUID = 1;

    /** One line: what failed, and what to do. */
    public GpuContextException(String message, Throwable cause) {
        super(message, cause);
    }
}
