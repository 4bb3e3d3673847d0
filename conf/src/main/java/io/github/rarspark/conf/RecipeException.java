package io.github.rarspark.conf;

/** An invalid recipe, option or combination; the message says what to change. */
public final class RecipeException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    /** @param message one line: what cannot be done, which value of which key, what to do */
    public RecipeException(String message) {
        super(message);
    }

    /**
     * @param message one line: what cannot be done, which value of which key, what to do
     * @param cause the cause
     */
    public RecipeException(String message, Throwable cause) {
        super(message, cause);
    }
}
