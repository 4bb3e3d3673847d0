/**
 * Class-conditional sampling: a plan cuts the images into micro-batches and shards, a task draws and decodes a shard,
 * the driver commits the manifest and what people look at.
 */
package io.github.rarspark.generate;
