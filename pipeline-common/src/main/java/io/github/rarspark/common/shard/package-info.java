/** Shards: Parquet files with names and bytes of our own, written inside the tasks, that carry their plan and checksum. */
package io.github.rarspark.common.shard;
