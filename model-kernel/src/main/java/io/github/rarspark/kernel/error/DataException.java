package io.github.rarspark.kernel.error;

/** Data or weights from outside are not what they have to be. */
public final class DataException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** One line: what, which value, which file, what to do. */
    public DataException(String message) {
        super(message);
    }

    /** As above, because of {@code cause}. */
    public DataException(String message, Throwable cause) {
        super(message, cause);
    }
}
