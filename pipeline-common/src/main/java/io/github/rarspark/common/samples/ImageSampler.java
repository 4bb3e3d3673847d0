package io.github.rarspark.common.samples;

import ai.djl.ndarray.NDManager;
import io.github.rarspark.common.KernelSettings;
import io.github.rarspark.conf.GenerateSettings;
import io.github.rarspark.kernel.rar.RarModel;
import io.github.rarspark.kernel.rar.RarSampler;
import io.github.rarspark.kernel.rar.RarSampler.Request;

/**
 * Samples the tokens of images with the settings of a recipe's section {@code generate}. They depend only on the weights,
 * the settings and the request of the image, not on the other images of its batch.
 *
 * <p>B batch, T tokens of an image.
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
}
