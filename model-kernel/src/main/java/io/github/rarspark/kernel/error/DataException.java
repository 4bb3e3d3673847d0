package io.github.rarspark.kernel.error;

/** Input data or weights are invalid. */
public final class DataException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** One line: what, which value, which file, what to do. */
    public DataException(String message) {
        super(message);
    }

    /** As above, with a cause. */
    public DataException(String message, Throwable cause) {
        super(message, cause);
    }
}
