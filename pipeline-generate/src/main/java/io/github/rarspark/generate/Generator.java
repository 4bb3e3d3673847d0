package io.github.rarspark.generate;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.github.rarspark.common.KernelSettings;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.weights.LoadedRar;
import io.github.rarspark.common.weights.LoadedTokenizer;
import io.github.rarspark.common.weights.WeightsCache.Lease;
import io.github.rarspark.conf.Precision;
import io.github.rarspark.kernel.image.Pixels;
import io.github.rarspark.kernel.image.RgbImage;
import io.github.rarspark.kernel.rar.RarSampler;
import io.github.rarspark.kernel.rar.RarSampler.Request;
import io.github.rarspark.kernel.tensor.TensorScope;
import java.util.Arrays;
import java.util.List;

/** Draws and decodes micro-batches of images with weights that the tasks of an executor share. One task's own. */
final class Generator implements AutoCloseable {
    private static final Device DEVICE = Device.cpu();

    private final GeneratorSpec spec;
    private final NDManager manager;
    private final Lease<LoadedRar> rar;
    private final Lease<LoadedTokenizer> tokenizer;

    private Generator(GeneratorSpec spec, NDManager manager, Lease<LoadedRar> rar, Lease<LoadedTokenizer> tokenizer) {
        this.spec = spec;
        this.manager = manager;
        this.rar = rar;
        this.tokenizer = tokenizer;
    }

    /** The generator of {@code spec}; loads the weights unless a task of this executor has. */
    static Generator open(GeneratorSpec spec, Storage storage) {
        boolean bfloat16 = spec.settings().precision() == Precision.BF16;
        Lease<LoadedRar> rar = LoadedRar.lease(spec.weights(), storage, spec.config(), bfloat16, DEVICE);
        try {
            Lease<LoadedTokenizer> tokenizer = LoadedTokenizer.lease(spec.tokenizer(), storage, DEVICE);
            return new Generator(spec, NDManager.newBaseManager(DEVICE), rar, tokenizer);
        } catch (RuntimeException | Error e) {
            rar.close();
            throw e;
        }
    }

    /** The images of a micro-batch. */
    List<RgbImage> images(Request[] requests) {
        return decode(draw(requests));
    }

    private long[][] draw(Request[] requests) {
        RarSampler sampler = new RarSampler(
                rar.value().model(),
                KernelSettings.guidance(spec.settings()),
                spec.settings().temperature());
        long seed = spec.settings().seed();
        long[][] orders = RarSampler.orders(
                seed,
                requests,
                spec.config(),
                KernelSettings.scanOrder(spec.settings().order()));
        return sampler.sample(manager, seed, requests, orders);
    }

    /** Always in 32 bits: the decoder adds no more than rounding to a picture. */
    private List<RgbImage> decode(long[][] tokens_BT) {
        long[] flat = Arrays.stream(tokens_BT).flatMapToLong(Arrays::stream).toArray();
        try (TensorScope s = TensorScope.inference(manager)) {
            NDArray pixels_BCHW =
                    tokenizer.value().vqgan().decode(s, s.longs(flat, tokens_BT.length, tokens_BT[0].length));
            Shape shape = pixels_BCHW.getShape();
            return Pixels.toImages(pixels_BCHW.toFloatArray(), (int) shape.get(3), (int) shape.get(2));
        }
    }

    @Override
    public void close() {
        manager.close();
        tokenizer.close();
        rar.close();
    }
}
