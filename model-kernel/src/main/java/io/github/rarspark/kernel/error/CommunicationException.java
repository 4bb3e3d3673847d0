package io.github.rarspark.kernel.error;

/** A collective failed: a rank is gone, unreachable or timed out. A retry may succeed. */
public final class CommunicationException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** Called by the native bridge with the first line of the C++ exception. */
    public CommunicationException(String message) {
        super(message);
    }
}
