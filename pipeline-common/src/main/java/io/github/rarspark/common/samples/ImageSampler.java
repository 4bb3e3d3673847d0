package io.github.rarspark.common.samples;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.github.rarspark.common.KernelSettings;
import io.github.rarspark.conf.GenerateSettings;
import io.github.rarspark.kernel.image.Pixels;
import io.github.rarspark.kernel.image.RgbImage;
import io.github.rarspark.kernel.rar.RarModel;
import io.github.rarspark.kernel.rar.RarSampler;
import io.github.rarspark.kernel.rar.RarSampler.Request;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.vqgan.Vqgan;
import java.util.Arrays;
import java.util.List;

/**
 * Samples images with the settings of a recipe's section {@code generate}. An image depends only on the weights, the
 * settings and its request, not on the other images of its batch.
 *
 * <p>B batch, T tokens of an image, C channels, H height, W width.
 *
 * @param settings how to sample
 * @param manager parent of the tensors, which live as long as a call
 */
public record ImageSampler(GenerateSettings settings, NDManager manager) {
    /** The tokens of the images that are asked for, {@code [B][T]}. */
    public long[][] draw(RarModel model, Request[] requests) {
        RarSampler sampler = new RarSampler(model, KernelSettings.guidance(settings), settings.temperature());
        return sampler.sample(
                manager,
                settings.seed(),
                requests,
                RarSampler.orders(
                        settings.seed(), requests, model.config(), KernelSettings.scanOrder(settings.order())));
    }

    /**
     * The images of tokens; always in 32 bits, so that the decoder adds no more than rounding.
     *
     * @param tokens_BT at least one row
     */
    public List<RgbImage> decode(Vqgan tokenizer, long[][] tokens_BT) {
        return decode(tokenizer, manager, tokens_BT);
    }

    /**
     * The images of tokens, wherever these come from.
     *
     * @param manager parent of the tensors, which live as long as the call
     * @param tokens_BT at least one row
     */
    public static List<RgbImage> decode(Vqgan tokenizer, NDManager manager, long[][] tokens_BT) {
        long[] flat = Arrays.stream(tokens_BT).flatMapToLong(Arrays::stream).toArray();
        try (TensorScope s = TensorScope.inference(manager)) {
            NDArray pixels_BCHW = tokenizer.decode(s, s.longs(flat, tokens_BT.length, tokens_BT[0].length));
            Shape shape = pixels_BCHW.getShape();
            return Pixels.toImages(pixels_BCHW.toFloatArray(), (int) shape.get(3), (int) shape.get(2));
        }
    }
}
