package io.github.rarspark.kernel.vqgan;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.tensor.Precision;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.weights.NamedTensors;
import io.github.rarspark.kernel.weights.TensorFile;

/**
 * The tokenizer: images to grids of codes and back.
 *
 * <p>B batch, C channels, H height, W width, T tokens in row-major order of the grid, Z channels of a code, R rows (all
 * latents of a batch), V codes.
 *
 * @param config the sizes
 * @param weights the tensors of {@link VqganConfig#table}, its convolutions possibly packed; owned by this record
 */
public record Vqgan(VqganConfig config, NamedTensors weights) implements AutoCloseable {
    /** Side of a grid of tokens: the layout that oneDNN's kernels want for it serves larger inputs as well. */
    private static final int PACKED_SIDE = 16;

    /**
     * Loads a tokenizer from a weight file.
     *
     * @param parent the parent of the weights' manager; its device runs the model
     * @throws DataException if the file is not a tokenizer's
     */
    public static Vqgan load(TensorFile file, NDManager parent) {
        VqganConfig config = VqganConfig.of(file);
        try (NamedTensors weights = NamedTensors.load(file, config.table(), parent)) {
            return forInference(config, weights, Precision.FP32);
        }
    }

    /**
     * Creates a tokenizer to encode and decode with. On a CPU, in float32, its convolutions are in the layout of oneDNN. It
     * owns copies of its tensors; the given ones may be closed.
     *
     * @param precision of the {@link io.github.rarspark.kernel.tensor.Autocast} that it will run under
     */
    public static Vqgan forInference(VqganConfig config, NamedTensors tensors, Precision precision) {
        boolean pack =
                precision == Precision.FP32 && !tensors.manager().getDevice().isGpu();
        return new Vqgan(config, tensors.map((s, name, tensor) -> {
            if (!pack || tensor.getShape().dimension() != 4) {
                return s.copyOf(tensor);
            }
            if (name.contains(VqganDecoder.UPSAMPLE)) {
                return s.packUpsampledConvolution(tensor, PACKED_SIDE);
            }
            int padding = VqganLayers.padding(tensor);
            return s.packConvolution(tensor, 1, padding, padding, PACKED_SIDE);
        }));
    }

    /**
     * Tokens (int64 [B, T]) of images.
     *
     * @param x_BCHW pixels [B, 3, H, W] in [0, 1]
     * @throws DataException if the downsampling factor does not divide height and width
     */
    public NDArray encode(TensorScope outer, NDArray x_BCHW) {
        try (TensorScope scope = outer.open()) {
            return scope.keep(nearest(scope, latents(scope, x_BCHW)));
        }
    }

    /**
     * Latents [B, Z, H/f, W/f] of images, before quantization.
     *
     * @param x_BCHW pixels [B, 3, H, W] in [0, 1]
     * @throws DataException if the downsampling factor does not divide height and width
     */
    public NDArray latents(TensorScope scope, NDArray x_BCHW) {
        Shape shape = x_BCHW.getShape();
        int factor = config.downsampling();
        if (shape.dimension() != 4 || shape.get(1) != 3 || shape.get(2) % factor != 0 || shape.get(3) % factor != 0) {
            throw new DataException("Cannot tokenize pixels of shape " + shape
                    + ": expected [B, 3, H, W] with height and width divisible by " + factor);
        }
        return new VqganEncoder(config, weights).latents(scope, x_BCHW);
    }

    /**
     * The nearest code (int64 [B, T]) of each latent [B, Z, H, W], in squared Euclidean distance; ties go to the first.
     */
    public NDArray nearest(TensorScope outer, NDArray z_BZHW) {
        Shape shape = z_BZHW.getShape();
        NDArray codebook_VZ = weights.get("quantize.embedding.weight");
        try (TensorScope scope = outer.open()) {
            NDArray z_RZ = scope.reshape(scope.permute(z_BZHW, 0, 2, 3, 1), -1, config.zChannels());
            NDArray norm_V = scope.sum(scope.multiply(codebook_VZ, codebook_VZ), 1);
            // Packed, so that which of two codes is nearer never depends on the other latents.
            boolean gpu = scope.device().isGpu();
            NDArray products_RV = scope.linear(z_RZ, gpu ? codebook_VZ : scope.packLinear(codebook_VZ), null);
            // |z|^2 is the same for all codes, so |c|^2 - 2 z.c has its minimum where the distance has.
            NDArray distances_RV = scope.subtract(norm_V, scope.affine(products_RV, 2, 0));
            return scope.keep(scope.reshape(scope.argMin(distances_RV, 1), shape.get(0), shape.get(2) * shape.get(3)));
        }
    }

    /**
     * Images [B, 3, H, W] in [0, 1] of tokens.
     *
     * @param tokens_BT int64 [B, T] of a square grid
     */
    public NDArray decode(TensorScope outer, NDArray tokens_BT) {
        try (TensorScope scope = outer.open()) {
            return scope.keep(scope.clamp(decodeUnclamped(scope, codes(scope, tokens_BT)), 0, 1));
        }
    }

    /** The codes [B, Z, side, side] of tokens (int64 [B, T]) of a square grid. */
    public NDArray codes(TensorScope outer, NDArray tokens_BT) {
        Shape shape = tokens_BT.getShape();
        long side = Math.round(Math.sqrt(shape.get(1)));
        if (side * side != shape.get(1)) {
            throw new DataException("Cannot decode " + shape.get(1) + " tokens per image: expected a square grid");
        }
        try (TensorScope scope = outer.open()) {
            NDArray codes_BTZ = scope.embedding(weights.get("quantize.embedding.weight"), tokens_BT);
            NDArray codes_BHWZ = scope.reshape(codes_BTZ, shape.get(0), side, side, config.zChannels());
            return scope.keep(
                    scope.reshape(scope.permute(codes_BHWZ, 0, 3, 1, 2), shape.get(0), config.zChannels(), side, side));
        }
    }

    /** Pixels [B, 3, H*f, W*f] of latents or codes [B, Z, H, W], not clamped to [0, 1]. */
    public NDArray decodeUnclamped(TensorScope scope, NDArray z_BZHW) {
        return new VqganDecoder(config, weights).pixels(scope, z_BZHW);
    }

    /** Frees the weights. */
    @Override
    public void close() {
        weights.close();
    }
}
