package io.github.rarspark.kernel.error;

/** A collective failed: a rank is gone, unreachable, or later than the timeout. The same work may succeed elsewhere. */
public final class CommunicationException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** Called by the native bridge with the first line of the C++ exception. */
    public CommunicationException(String message) {
        super(message);
    }
}
