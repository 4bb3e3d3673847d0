package io.github.rarspark.common.shard;

import java.io.Serializable;

/**
 * A finished shard, as its task reports it and a manifest lists it.
 *
 * @param name its name in the output
 * @param rows how many records it holds
 * @param bytes its length
 * @param sha256 the SHA-256 of the file
 */
public record ShardReceipt(String name, long rows, long bytes, String sha256) implements Serializable {}
