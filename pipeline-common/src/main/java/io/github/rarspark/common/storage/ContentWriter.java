package io.github.rarspark.common.storage;

import java.io.IOException;

/** Writes an object's content. The stream is closed by the caller. */
@FunctionalInterface
public interface ContentWriter {
    /** Writes the whole content; if this throws, the object stays as it was. */
    void write(HashingStream out) throws IOException;
}
