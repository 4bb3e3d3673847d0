package io.github.rarspark.kernel.vqgan;

import ai.djl.ndarray.NDArray;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.weights.NamedTensors;

/**
 * Pixels to latents.
 *
 * <p>B batch, C channels, H height, W width; the latents' height and width are the pixels' divided by the downsampling
 * factor.
 *
 * @param config the sizes
 * @param weights the tensors of {@link VqganConfig#table}
 */
record VqganEncoder(VqganConfig config, NamedTensors weights) {
    /** Latents z [B, zChannels, H/f, W/f] of x [B, 3, H, W] in [0, 1]. */
    NDArray latents(TensorScope outer, NDArray x_BCHW) {
        VqganLayers layers = new VqganLayers(weights);
        try (TensorScope scope = outer.open()) {
            NDArray h_BCHW = layers.conv(scope, "encoder.conv_in", x_BCHW);
            for (int level = 0; level < config.levels(); level++) {
                h_BCHW = level(scope, layers, level, h_BCHW);
            }
            h_BCHW = layers.blocks(scope, "encoder.mid.", config.resBlocks(), h_BCHW);
            return scope.keep(layers.normSiluConv(scope, "encoder.norm_out", "encoder.conv_out", h_BCHW));
        }
    }

    private NDArray level(TensorScope outer, VqganLayers layers, int level, NDArray x_BCHW) {
        try (TensorScope scope = outer.open()) {
            NDArray h_BCHW = layers.blocks(scope, "encoder.down." + level + ".block.", config.resBlocks(), x_BCHW);
            boolean last = level == config.levels() - 1;
            return scope.keep(last ? h_BCHW : scope.averagePool(h_BCHW, 2, 2, 0));
        }
    }
}
