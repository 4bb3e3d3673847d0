package io.github.rarspark.kernel.vqgan;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
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
     * A residual block, which may write over its input if the weights are packed. Where it changes the width, the shortcut
     * is a convolution of the block's own output, not of its input: the public weights were trained that way.
     */
    private NDArray block(TensorScope outer, String name, NDArray x_BCHW) {
        try (TensorScope scope = outer.open()) {
            NDArray h_BCHW = normSiluConv(scope, name + ".norm1", name + ".conv1", x_BCHW);
            if (x_BCHW.getShape().get(1) == h_BCHW.getShape().get(1)) {
                return scope.keep(addConv(scope, x_BCHW, name + ".conv2", normSilu(scope, name + ".norm2", h_BCHW)));
            }
            h_BCHW = normSiluConv(scope, name + ".norm2", name + ".conv2", h_BCHW);
            return scope.keep(addConv(scope, h_BCHW, name + ".nin_shortcut", h_BCHW));
        }
    }

    /** Group normalization, SiLU and a convolution. */
    NDArray normSiluConv(TensorScope outer, String norm, String conv, NDArray x_BCHW) {
        try (TensorScope scope = outer.open()) {
            return scope.keep(conv(scope, conv, normSilu(scope, norm, x_BCHW)));
        }
    }

    private NDArray normSilu(TensorScope scope, String name, NDArray x_BCHW) {
        return scope.groupNormSilu(
                x_BCHW, VqganConfig.NORM_GROUPS, weights.get(name + ".weight"), weights.get(name + ".bias"), NORM_EPS);
    }

    /** A convolution of stride 1 that keeps height and width. */
    NDArray conv(TensorScope scope, String name, NDArray x_BCHW) {
        NDArray weight_KChw = weights.get(name + ".weight");
        NDArray bias_K = weights.asMap().get(name + ".bias");
        return scope.conv2d(x_BCHW, weight_KChw, bias_K, 1, padding(weight_KChw));
    }

    /** Such a convolution of x upsampled by two. */
    NDArray upsampledConv(TensorScope scope, String name, NDArray x_BCHW) {
        return scope.upsampledConv2d(x_BCHW, weights.get(name + ".weight"), weights.get(name + ".bias"));
    }

    /** {@code sum_BCHW}, which may be overwritten, plus such a convolution without bias. */
    private NDArray addConv(TensorScope scope, NDArray sum_BCHW, String name, NDArray x_BCHW) {
        NDArray weight_KChw = weights.get(name + ".weight");
        return scope.addConv2d(sum_BCHW, x_BCHW, weight_KChw, padding(weight_KChw));
    }

    /** Half the side of the kernel; one of a single pixel is a matrix when packed. */
    static int padding(NDArray weight) {
        Shape shape = weight.getShape();
        return shape.dimension() == 2 ? 0 : (int) shape.get(2) / 2;
    }
}
