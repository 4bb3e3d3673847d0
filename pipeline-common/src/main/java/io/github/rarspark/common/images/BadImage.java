package io.github.rarspark.common.images;

import java.io.Serializable;

/**
 * An image that cannot be used.
 *
 * @param path its name within the input
 * @param reason what is wrong with it
 */
public record BadImage(String path, String reason) implements Serializable {}
