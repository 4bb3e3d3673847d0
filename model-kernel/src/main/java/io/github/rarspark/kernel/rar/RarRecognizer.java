package io.github.rarspark.kernel.rar;

import io.github.rarspark.kernel.weights.Recognizer;
import io.github.rarspark.kernel.weights.TensorShapes;
import java.util.Optional;

/** Recognizes the weights of a RAR model of any size. */
public final class RarRecognizer implements Recognizer {
    @Override
    public Optional<Recognition> recognize(TensorShapes tensors) {
        if (!tensors.has("cls_token", "blocks.0.attn.qkv.weight")) {
            return Optional.empty();
        }
        long hidden = tensors.size("cls_token", 2);
        long layers = tensors.count(i -> "blocks." + i + ".attn.qkv.weight");
        long mlp = tensors.size("blocks.0.mlp.fc1.weight", 0);
        long codes = tensors.size("lm_head.weight", 0);
        long specialTokens = new TokenSpace(0, 0).size();
        return Optional.of(Recognition.usable("a RAR generator" + released(hidden, layers, mlp)
                + " (width " + hidden
                + ", " + layers + " layers"
                + ", " + hidden / Math.max(1, tensors.size("blocks.0.attn.q_norm.weight", 0)) + " heads"
                + ", MLP " + mlp
                + ", " + (tensors.size("pos_embed", 1) - RarConfig.SPARE_POSITIONS) + " tokens"
                + ", " + codes + " codes"
                + ", " + (tensors.size("embeddings.weight", 0) - codes - specialTokens) + " classes"
                + (tensors.has("timesteps_embeddings") ? "" : ", plain conditioning")
                + (tensors.has("target_aware_pos_embed") ? "" : ", not target-aware") + ")"));
    }

    /** The name of a published size. */
    private static String released(long hidden, long layers, long mlp) {
        return switch (hidden + "x" + layers + "x" + mlp) {
            case "768x12x3072" -> " of the size RAR-S";
            case "768x24x3072" -> " of the size RAR-B";
            case "1024x24x4096" -> " of the size RAR-L";
            case "1280x32x5120" -> " of the size RAR-XL";
            case "1408x40x6144" -> " of the size RAR-XXL";
            default -> "";
        };
    }
}
