package io.github.rarspark.tokenize;

import io.github.rarspark.common.images.ImageFindings;
import io.github.rarspark.common.shard.ShardReceipt;
import io.github.rarspark.common.storage.Storage;
import java.io.Serializable;
import java.util.Map;

/**
 * A finished shard and the findings about the images of its unit, which its footer stores as well.
 *
 * @param receipt the shard
 * @param findings the findings about the unit's images
 */
record TokenizedShard(ShardReceipt receipt, ImageFindings findings) implements Serializable {
    /** The shard that an earlier attempt has finished in {@code directory}, from the entries of its footer. */
    static TokenizedShard finished(ShardReceipt receipt, Map<String, String> footer, String directory) {
        return new TokenizedShard(receipt, ImageFindings.of(footer, Storage.child(directory, receipt.name())));
    }
}
