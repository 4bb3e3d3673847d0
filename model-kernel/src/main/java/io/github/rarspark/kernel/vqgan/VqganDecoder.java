package io.github.rarspark.kernel.vqgan;

import ai.djl.ndarray.NDArray;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.weights.NamedTensors;

/**
 * Latents to pixels.
 *
 * <p>B batch, C channels, H height, W width; the pixels' height and width are the latents' times the downsampling factor.
 *
 * @param config the sizes
 * @param weights the tensors of {@link VqganConfig#table}
 */
record VqganDecoder(VqganConfig config, NamedTensors weights) {
    /** The suffix of the convolutions that follow an upsampling. */
    static final String UPSAMPLE = ".upsample_conv";

    /** Pixels [B, 3, H*f, W*f] of latents z [B, zChannels, H, W], not clamped. */
    NDArray pixels(TensorScope outer, NDArray z_BCHW) {
        VqganLayers layers = new VqganLayers(weights);
        try (TensorScope scope = outer.open()) {
            NDArray h_BCHW = layers.conv(scope, "decoder.conv_in", z_BCHW);
            h_BCHW = layers.blocks(scope, "decoder.mid.", config.resBlocks(), h_BCHW);
            for (int level = config.levels() - 1; level >= 0; level--) {
                h_BCHW = level(scope, layers, level, h_BCHW);
            }
            return scope.keep(layers.normSiluConv(scope, "decoder.norm_out", "decoder.conv_out", h_BCHW));
        }
    }

    private NDArray level(TensorScope outer, VqganLayers layers, int level, NDArray x_BCHW) {
        String name = "decoder.up." + level;
        try (TensorScope scope = outer.open()) {
            NDArray h_BCHW = layers.blocks(scope, name + ".block.", config.resBlocks(), x_BCHW);
            if (level > 0) {
                h_BCHW = layers.upsampledConv(scope, name + UPSAMPLE, h_BCHW);
            }
            return scope.keep(h_BCHW);
        }
    }
}
