package io.github.rarspark.common.storage;

import java.io.Serializable;

/**
 * An object that was written.
 *
 * @param path its full URI
 * @param bytes its length
 * @param sha256 the SHA-256 of its content, in lower-case hexadecimal
 */
public record Stored(String path, long bytes, String sha256) implements Serializable {}
