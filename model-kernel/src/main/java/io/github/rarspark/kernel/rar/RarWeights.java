package io.github.rarspark.kernel.rar;

import ai.djl.ndarray.NDArray;
import io.github.rarspark.kernel.weights.NamedTensors;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A RAR model's tensors by their role. Null where the configuration does without: {@code timesteps} and the
 * modulations (plain), {@code norm} (adaLN), {@code targetPositions} (not target-aware).
 *
 * @param positions {@code [T+1024, D]}
 * @param targetPositions {@code [T+1024, D]}
 * @param timesteps {@code [T+100, D]}
 * @param embeddings {@code [K, D]}
 */
record RarWeights(
        RarConfig config,
        NDArray cls,
        NDArray positions,
        NDArray targetPositions,
        NDArray timesteps,
        NDArray embeddings,
        List<Block> blocks,
        Linear headModulation,
        Affine norm,
        Linear head) {

    /** y = x W^T + b, weight [out, in]. */
    record Linear(NDArray weight, NDArray bias) {}

    /** The weight and bias of a layer normalization. */
    record Affine(NDArray weight, NDArray bias) {}

    /** One transformer block; modulation [6D, D] or null. */
    record Block(
            Affine norm1,
            Linear qkv,
            Affine qNorm,
            Affine kNorm,
            Linear projection,
            Affine norm2,
            Linear fc1,
            Linear fc2,
            Linear modulation) {}

    /** Looks every tensor up by its public name. */
    static RarWeights of(RarConfig config, NamedTensors tensors) {
        boolean adaln = config.conditioning() == Conditioning.ADALN;
        List<Block> blocks = IntStream.range(0, config.layers())
                .mapToObj(i -> block(tensors, "blocks." + i + ".", adaln))
                .toList();
        return new RarWeights(
                config,
                tensors.get("cls_token"),
                tensors.get("pos_embed"),
                config.targetAware() ? tensors.get("target_aware_pos_embed") : null,
                adaln ? tensors.get("timesteps_embeddings") : null,
                tensors.get("embeddings.weight"),
                blocks,
                adaln ? linear(tensors, "adaln_before_head.adaLN_modulation.1") : null,
                adaln ? null : affine(tensors, "norm"),
                linear(tensors, "lm_head"));
    }

    private static Block block(NamedTensors tensors, String prefix, boolean adaln) {
        return new Block(
                affine(tensors, prefix + "norm1"),
                linear(tensors, prefix + "attn.qkv"),
                affine(tensors, prefix + "attn.q_norm"),
                affine(tensors, prefix + "attn.k_norm"),
                linear(tensors, prefix + "attn.proj"),
                affine(tensors, prefix + "norm2"),
                linear(tensors, prefix + "mlp.fc1"),
                linear(tensors, prefix + "mlp.fc2"),
                adaln ? linear(tensors, prefix + "adaLN_modulation.1") : null);
    }

    private static Linear linear(NamedTensors tensors, String name) {
        return new Linear(tensors.get(name + ".weight"), tensors.get(name + ".bias"));
    }

    private static Affine affine(NamedTensors tensors, String name) {
        return new Affine(tensors.get(name + ".weight"), tensors.get(name + ".bias"));
    }
}
