package io.github.rarspark.common.storage;

import java.io.IOException;

/** Decides about an existing object. */
@FunctionalInterface
public interface ExistingObject {
    /** Replaces any existing object. */
    ExistingObject REPLACE = path -> false;

    /** Whether the object at {@code path} stays as it is. */
    boolean stays(String path) throws IOException;
}
