package io.github.rarspark.kernel.vqgan;

import ai.djl.ndarray.NDArray;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.weights.NamedTensors;

/**
 * The building blocks of encoder and decoder. Each function frees its intermediate results, so that at 256 pixels only
 * a few full-resolution tensors are alive at once.
 *
 * <p>B batch, C channels, H height, W width.
 */
record VqganLayers(NamedTensors weights) {
    private static final double NORM_EPS = 1e-6;

    /** Consecutive residual blocks named {@code prefix0}, {@code prefix1}, ... */
    NDArray blocks(TensorScope outer, String prefix, int count, NDArray x_BCHW) {
        try (TensorScope scope = outer.open()) {
            NDArray h_BCHW = x_BCHW;
            for (int block = 0; block < count; block++) {
                h_BCHW = block(scope, prefix + block, h_BCHW);
            }
            return scope.keep(h_BCHW);
        }
    }

    /**
     * A residual block. Where it changes the width, the shortcut is a convolution of the block's own output, not of its
     * input: the public weights were trained that way.
     */
    private NDArray block(TensorScope outer, String name, NDArray x_BCHW) {
        try (TensorScope scope = outer.open()) {
            NDArray h_BCHW = normSiluConv(scope, name + ".norm1", name + ".conv1", x_BCHW);
            h_BCHW = normSiluConv(scope, name + ".norm2", name + ".conv2", h_BCHW);
            boolean sameWidth = x_BCHW.getShape().get(1) == h_BCHW.getShape().get(1);
            NDArray shortcut_BCHW = sameWidth ? x_BCHW : conv(scope, name + ".nin_shortcut", h_BCHW);
            return scope.keep(scope.add(h_BCHW, shortcut_BCHW));
        }
    }

    /** Group normalization, SiLU and a convolution. */
    NDArray normSiluConv(TensorScope outer, String norm, String conv, NDArray x_BCHW) {
        try (TensorScope scope = outer.open()) {
            NDArray h_BCHW = scope.groupNorm(
                    x_BCHW,
                    VqganConfig.NORM_GROUPS,
                    weights.get(norm + ".weight"),
                    weights.get(norm + ".bias"),
                    NORM_EPS);
            return scope.keep(conv(scope, conv, scope.silu(h_BCHW)));
        }
    }

    /** A convolution of stride 1 that keeps height and width. */
    NDArray conv(TensorScope scope, String name, NDArray x_BCHW) {
        NDArray weight_KChw = weights.get(name + ".weight");
        NDArray bias_K = weights.asMap().get(name + ".bias");
        int padding = (int) weight_KChw.getShape().get(2) / 2;
        return scope.conv2d(x_BCHW, weight_KChw, bias_K, 1, padding);
    }
}
