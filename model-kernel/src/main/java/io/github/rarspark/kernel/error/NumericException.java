package io.github.rarspark.kernel.error;

/** A computation produced NaN or an infinite value. */
public final class NumericException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** One line: which quantity, at which step, what to do. */
    public NumericException(String message) {
        super(message);
    }
}
