package io.github.rarspark.kernel.vqgan;

import ai.djl.ndarray.NDArray;
import io.github.rarspark.kernel.image.Pixels;
import io.github.rarspark.kernel.image.RgbImage;
import io.github.rarspark.kernel.tensor.TensorScope;
import java.util.List;

/**
 * An image and what its tokens keep of it.
 *
 * @param original the image
 * @param decoded the image that its tokens give
 * @param tokens row by row of the grid
 * @param meanSquaredError over all channels of all pixels, of values in [0, 1]
 */
public record ReconstructedImage(RgbImage original, RgbImage decoded, long[] tokens, double meanSquaredError) {
    /** Encodes and decodes an image of the tokenizer's size. */
    public static ReconstructedImage of(Vqgan vqgan, RgbImage image) {
        float[] pixels = Pixels.toFloats(List.of(image));
        try (TensorScope scope = TensorScope.inference(vqgan.weights().manager())) {
            NDArray tokens_BT =
                    vqgan.encode(scope, scope.floats(pixels, 1, RgbImage.CHANNELS, image.height(), image.width()));
            float[] decoded = vqgan.decode(scope, tokens_BT).toFloatArray();
            double squaredError = 0;
            for (int i = 0; i < pixels.length; i++) {
                double difference = (double) decoded[i] - pixels[i];
                squaredError += difference * difference;
            }
            RgbImage result =
                    Pixels.toImages(decoded, image.width(), image.height()).get(0);
            return new ReconstructedImage(image, result, tokens_BT.toLongArray(), squaredError / pixels.length);
        }
    }

    /** The peak signal-to-noise ratio in decibels; infinite if nothing was lost. */
    public double psnr() {
        return Reconstruction.psnr(meanSquaredError);
    }
}
