package io.github.rarspark.kernel.image;

import java.io.IOException;

/** An image file is malformed; the message completes "Cannot decode FILE: ". */
final class MalformedImageException extends IOException {
    private static final long serialVersionUID = 1L;

    MalformedImageException(String message) {
        super(message);
    }

    MalformedImageException(String message, Throwable cause) {
        super(message, cause);
    }
}
