package io.github.rarspark.tokenize;

import io.github.rarspark.common.images.ImageFindings;
import io.github.rarspark.common.shard.ShardReceipt;
import io.github.rarspark.common.tokens.TokenCounter;
import java.io.Serializable;

/**
 * A finished shard.
 *
 * @param receipt the shard
 * @param findings about the images of its unit, which its footer stores as well
 * @param counts of its rows
 * @param stages where the time went; none if an earlier attempt made it
 */
record TokenizedShard(ShardReceipt receipt, ImageFindings findings, TokenCounter counts, StageSeconds stages)
        implements Serializable {}
