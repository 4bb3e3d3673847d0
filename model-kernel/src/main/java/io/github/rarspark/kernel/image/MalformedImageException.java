package io.github.rarspark.kernel.image;

import java.io.IOException;

/** The bytes of an image file contradict its format; the message completes "Cannot decode FILE: ". */
final class MalformedImageException extends IOException {
    private static final long serialVersionUID = 1L;

    MalformedImageException(String message) {
        super(message);
    }
}
