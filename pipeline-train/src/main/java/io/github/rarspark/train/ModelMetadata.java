package io.github.rarspark.train;

import io.github.rarspark.common.storage.Json;
import io.github.rarspark.common.tokens.TokenShards;
import io.github.rarspark.kernel.rar.RarConfig;
import java.util.Map;
import java.util.TreeMap;

/** What {@code model.safetensors} says of itself, in its metadata. */
final class ModelMetadata {
    private ModelMetadata() {}

    static Map<String, String> of(RarConfig config, RankAssignment assignment, long step) {
        Map<String, String> metadata = new TreeMap<>();
        metadata.put("kind", "rar");
        metadata.put("config", Json.line(config));
        metadata.put("step", Long.toString(step));
        metadata.put("plan", assignment.planSha256());
        if (!assignment.tokens().classNames().isEmpty()) {
            metadata.put("class_names", Json.line(assignment.tokens().classNames()));
        }
        if (assignment.tokens() instanceof TokenShards shards
                && !shards.manifest().tokenizerSha256().isEmpty()) {
            metadata.put("tokenizer_sha256", shards.manifest().tokenizerSha256());
        }
        return metadata;
    }
}
