package io.github.rarspark.tokenize;

import java.io.Serializable;

/**
 * An image that cannot be tokenized; a line of {@code quarantine.jsonl}.
 *
 * @param path its name within the input
 * @param reason what is wrong with it
 */
record BadImage(String path, String reason) implements Serializable {}
