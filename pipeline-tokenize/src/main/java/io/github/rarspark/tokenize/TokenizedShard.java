package io.github.rarspark.tokenize;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.rarspark.common.shard.ParquetFooter;
import io.github.rarspark.common.shard.ShardReceipt;
import io.github.rarspark.common.storage.Json;
import io.github.rarspark.common.storage.Storage;
import java.io.IOException;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A finished shard and the images of its unit that are not in it. These stand in the shard's footer, so that a later
 * attempt knows them without decoding the unit again.
 *
 * @param receipt the shard
 * @param bad the images left out, in order
 */
record TokenizedShard(ShardReceipt receipt, List<BadImage> bad) implements Serializable {
    private static final String BAD_KEY = "rarspark.quarantine";

    TokenizedShard {
        bad = List.copyOf(bad);
    }

    /** The footer entries that say which images are left out. */
    static Map<String, String> footer(List<BadImage> bad) {
        return Map.of(BAD_KEY, Json.line(bad));
    }

    /** The shard that an earlier attempt has finished. */
    static TokenizedShard finished(Storage storage, String path, ShardReceipt receipt) throws IOException {
        String json = ParquetFooter.read(storage, path).keyValues().get(BAD_KEY);
        List<BadImage> bad = new ArrayList<>();
        for (JsonNode item : Json.read(json.getBytes(StandardCharsets.UTF_8), JsonNode.class, path)) {
            bad.add(Json.convert(item, BadImage.class));
        }
        return new TokenizedShard(receipt, bad);
    }
}
