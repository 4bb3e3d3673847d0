/**
 * Class-conditional sampling: a plan splits the images into shards, a task samples and decodes a
 * shard, the driver commits the manifest, {@code samples.npz} and the picture grid.
 */
package io.github.rarspark.generate;
