package io.github.rarspark.tokenize;

import io.github.rarspark.common.images.ImageFindings;
import io.github.rarspark.common.shard.ParquetFooter;
import io.github.rarspark.common.shard.ShardReceipt;
import io.github.rarspark.common.storage.Storage;
import java.io.IOException;
import java.io.Serializable;

/**
 * A finished shard and what was found about the images of its unit, which its footer says as well.
 *
 * @param receipt the shard
 * @param findings the images that are not in it, and more
 */
record TokenizedShard(ShardReceipt receipt, ImageFindings findings) implements Serializable {
    /** The shard that an earlier attempt has finished. */
    static TokenizedShard finished(Storage storage, String path, ShardReceipt receipt) throws IOException {
        return new TokenizedShard(
                receipt, ImageFindings.of(ParquetFooter.read(storage, path).keyValues(), path));
    }
}
