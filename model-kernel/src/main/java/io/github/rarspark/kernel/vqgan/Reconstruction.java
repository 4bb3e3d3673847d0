package io.github.rarspark.kernel.vqgan;

import ai.djl.ndarray.NDArray;
import io.github.rarspark.kernel.image.Pixels;
import io.github.rarspark.kernel.image.RgbImage;
import io.github.rarspark.kernel.tensor.TensorScope;
import java.util.BitSet;
import java.util.List;

/**
 * How well a tokenizer reconstructs a set of images.
 *
 * @param images number of images tokenized and decoded
 * @param meanSquaredError over all channels of all pixels of all images, in [0, 1] after clamping
 * @param codesUsed number of distinct codes among the tokens
 */
public record Reconstruction(long images, double meanSquaredError, int codesUsed) {
    /**
     * Tokenizes and decodes images of one size.
     *
     * @param batch images computed at a time
     */
    public static Reconstruction measure(Vqgan vqgan, List<RgbImage> images, int batch) {
        double squaredError = 0;
        long values = 0;
        BitSet used = new BitSet();
        for (int start = 0; start < images.size(); start += batch) {
            List<RgbImage> part = images.subList(start, Math.min(start + batch, images.size()));
            float[] pixels = Pixels.toFloats(part);
            int height = part.get(0).height();
            int width = part.get(0).width();
            try (TensorScope scope = TensorScope.inference(vqgan.weights().manager())) {
                NDArray tokens_BT = vqgan.encode(scope, scope.floats(pixels, part.size(), 3, height, width));
                for (long token : tokens_BT.toLongArray()) {
                    used.set((int) token);
                }
                float[] decoded = vqgan.decode(scope, tokens_BT).toFloatArray();
                for (int i = 0; i < pixels.length; i++) {
                    double difference = (double) decoded[i] - pixels[i];
                    squaredError += difference * difference;
                }
            }
            values += pixels.length;
        }
        return new Reconstruction(images.size(), squaredError / values, used.cardinality());
    }

    /** The peak signal-to-noise ratio in decibels, of the mean squared error over all images. */
    public double psnr() {
        return psnr(meanSquaredError);
    }

    /** The peak signal-to-noise ratio in decibels of a mean squared error of values in [0, 1]. */
    public static double psnr(double meanSquaredError) {
        return -10 * Math.log10(meanSquaredError);
    }
}
