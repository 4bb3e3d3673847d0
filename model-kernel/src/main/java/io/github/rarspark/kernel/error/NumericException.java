package io.github.rarspark.kernel.error;

/** A computation produced NaN or an infinite value. */
public final class NumericException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** One line: which quantity, at which step. */
    public NumericException(String message) {
        super(message);
    }

    private NumericException(String message, Throwable cause) {
        super(message, cause);
    }

    /** The same failure with {@code advice}, what to do about it. */
    public NumericException advising(String advice) {
        return new NumericException(getMessage() + "; " + advice, this);
    }
}
