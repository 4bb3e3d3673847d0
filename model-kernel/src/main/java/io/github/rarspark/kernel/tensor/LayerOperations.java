package io.github.rarspark.kernel.tensor;

import ai.djl.ndarray.NDArray;

/** The operations that networks are made of. All are differentiable. */
abstract sealed class LayerOperations extends TensorOperations permits DecodingOperations {

    // ---- activations ----

    /** The exact (erf) GELU. */
    public NDArray gelu(NDArray x) {
        return own(gelu(at(x)));
    }

    private static native long gelu(long x);

    /** x * sigmoid(x). */
    public NDArray silu(NDArray x) {
        return own(silu(at(x)));
    }

    private static native long silu(long x);

    /** max(x, 0). */
    public NDArray relu(NDArray x) {
        return own(relu(at(x)));
    }

    private static native long relu(long x);

    // ---- linear layers, normalization ----

    /**
     * x [..., in] times weight [out, in] transposed, plus bias [out] unless null.
     *
     * @param weight as it is, or as of {@link #packLinear}, when x is converted to its type
     */
    public NDArray linear(NDArray x, NDArray weight, NDArray bias) {
        return own(linear(at(x), at(weight), Handles.ofNullable(bias)));
    }

    private static native long linear(long x, long weight, long bias);

    /** {@link #gelu} of {@link #linear}. */
    public NDArray linearGelu(NDArray x, NDArray weight, NDArray bias) {
        return own(linearGelu(at(x), at(weight), Handles.ofNullable(bias)));
    }

    private static native long linearGelu(long x, long weight, long bias);

    /**
     * A weight [out, in] on the CPU in the layout of oneDNN's kernels, for products without gradients. A row of a product
     * with it is the same, bit for bit, whatever the other rows and the number of threads.
     */
    public NDArray packLinear(NDArray weight) {
        return own(packLinear(at(weight)));
    }

    private static native long packLinear(long weight);

    /** Layer normalization over the last axis; weight and bias [D], or both null for none. */
    public NDArray layerNorm(NDArray x, NDArray weight, NDArray bias, double eps) {
        return own(layerNorm(at(x), Handles.ofNullable(weight), Handles.ofNullable(bias), eps));
    }

    private static native long layerNorm(long x, long weight, long bias, double eps);

    /** Group normalization of x [B, C, H, W]; weight and bias [C]. */
    public NDArray groupNorm(NDArray x, int groups, NDArray weight, NDArray bias, double eps) {
        return own(groupNorm(at(x), groups, at(weight), at(bias), eps));
    }

    private static native long groupNorm(long x, int groups, long weight, long bias, double eps);

    /** {@link #silu} of {@link #groupNorm}. */
    public NDArray groupNormSilu(NDArray x, int groups, NDArray weight, NDArray bias, double eps) {
        return own(groupNormSilu(at(x), groups, at(weight), at(bias), eps));
    }

    private static native long groupNormSilu(long x, int groups, long weight, long bias, double eps);

    /** Rows of weight [K, D] at int64 ids [...]: [..., D]. */
    public NDArray embedding(NDArray weight, NDArray ids) {
        return own(embedding(at(weight), at(ids)));
    }

    private static native long embedding(long weight, long ids);

    // ---- images ----

    /**
     * A weight [K, C, h, w] on the CPU in the layout of oneDNN's kernels, for convolutions without gradients. An image of
     * the result is the same, bit for bit, whatever the others of its batch and the number of threads. The result has the
     * shape of the weight, except that of a kernel of one pixel and stride 1, which is [K, C].
     *
     * @param side of the inputs to choose the layout for; those of other sides may take longer
     */
    public NDArray packConvolution(NDArray weight, int stride, int paddingHeight, int paddingWidth, int side) {
        return own(packConvolution(at(weight), stride, paddingHeight, paddingWidth, side));
    }

    private static native long packConvolution(
            long weight, long stride, long paddingHeight, long paddingWidth, long side);

    /**
     * Convolution of x [B, C, H, W] with weight [K, C, h, w] and bias [K] unless null; zero padding.
     *
     * @param weight as it is, or as of {@link #packConvolution} for the same stride and padding, when the result has its
     *     channels innermost in memory
     */
    public NDArray conv2d(NDArray x, NDArray weight, NDArray bias, int stride, int padding) {
        return conv2d(x, weight, bias, stride, padding, padding);
    }

    /** As {@link #conv2d(NDArray, NDArray, NDArray, int, int)}, with separate padding for height and width. */
    public NDArray conv2d(NDArray x, NDArray weight, NDArray bias, int stride, int paddingHeight, int paddingWidth) {
        return own(conv2d(at(x), at(weight), Handles.ofNullable(bias), stride, paddingHeight, paddingWidth));
    }

    private static native long conv2d(
            long x, long weight, long bias, long stride, long paddingHeight, long paddingWidth);

    /** {@link #relu} of {@link #conv2d(NDArray, NDArray, NDArray, int, int, int)}. */
    public NDArray conv2dRelu(
            NDArray x, NDArray weight, NDArray bias, int stride, int paddingHeight, int paddingWidth) {
        return own(conv2dRelu(at(x), at(weight), Handles.ofNullable(bias), stride, paddingHeight, paddingWidth));
    }

    private static native long conv2dRelu(
            long x, long weight, long bias, long stride, long paddingHeight, long paddingWidth);

    /** sum plus {@link #conv2d} of stride 1 without bias; may be written over {@code sum} if the weight is packed. */
    public NDArray addConv2d(NDArray sum, NDArray x, NDArray weight, int padding) {
        return own(addConv2d(at(sum), at(x), at(weight), padding));
    }

    private static native long addConv2d(long sum, long x, long weight, long padding);

    /** Means of x [B, C, H, W] over square windows; padding is not counted. */
    public NDArray averagePool(NDArray x, int size, int stride, int padding) {
        return own(averagePool(at(x), size, stride, padding));
    }

    private static native long averagePool(long x, long size, long stride, long padding);

    /** Maxima of x [B, C, H, W] over square windows; padding is ignored. */
    public NDArray maxPool(NDArray x, int size, int stride, int padding) {
        return own(maxPool(at(x), size, stride, padding));
    }

    private static native long maxPool(long x, long size, long stride, long padding);

    /**
     * A weight [K, C, 3, 3] on the CPU for {@link #upsampledConv2d}, as of {@link #packConvolution}. Its shape is [4 K, C, 2,
     * 2]: the upsampled image repeats its pixels, so less than half of the products are needed.
     */
    public NDArray packUpsampledConvolution(NDArray weight, int side) {
        return own(packUpsampledConvolution(at(weight), side));
    }

    private static native long packUpsampledConvolution(long weight, long side);

    /**
     * Nearest-neighbour upsampling of x [B, C, H, W] by two, and a {@link #conv2d} that keeps the size of that.
     *
     * @param weight [K, C, 3, 3] as it is, or as of {@link #packUpsampledConvolution}
     * @param bias [K]
     */
    public NDArray upsampledConv2d(NDArray x, NDArray weight, NDArray bias) {
        return own(upsampledConv2d(at(x), at(weight), at(bias)));
    }

    private static native long upsampledConv2d(long x, long weight, long bias);

    // ---- attention, dropout, loss ----

    /** Scaled dot-product attention of q, k, v [B, N, S, H], scale 1/sqrt(H); causal or over all keys. */
    public NDArray attention(NDArray q, NDArray k, NDArray v, boolean causal) {
        return own(attention(at(q), at(k), at(v), causal));
    }

    private static native long attention(long q, long k, long v, boolean causal);

    /** Causal attention with dropout on the attention weights; row b draws its mask from the stream keys[b]. */
    public NDArray attentionWithDropout(NDArray q, NDArray k, NDArray v, double rate, long[] keys) {
        return own(attentionWithDropout(at(q), at(k), at(v), rate, keys));
    }

    private static native long attentionWithDropout(long q, long k, long v, double p, long[] keys);

    /** x with elements zeroed at the given rate and the others scaled by 1/(1-rate); row b draws from keys[b]. */
    public NDArray dropout(NDArray x, double rate, long[] keys) {
        return own(dropout(at(x), rate, keys));
    }

    private static native long dropout(long x, double p, long[] keys);

    /** Mean cross-entropy in float32 of logits [R, V] against int64 targets [R]; a scalar. */
    public NDArray crossEntropy(NDArray logits, NDArray targets) {
        return own(crossEntropy(at(logits), at(targets)));
    }

    private static native long crossEntropy(long logits, long targets);
}
