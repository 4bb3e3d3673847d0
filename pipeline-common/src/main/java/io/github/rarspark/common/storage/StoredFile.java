package io.github.rarspark.common.storage;

import java.io.Serializable;

/**
 * A file found by listing.
 *
 * @param path its full URI
 * @param name its path relative to the directory that was listed, with {@code /} between the parts
 * @param bytes its length
 * @param modified when it was last modified, in milliseconds since 1970
 */
public record StoredFile(String path, String name, long bytes, long modified) implements Serializable {}
