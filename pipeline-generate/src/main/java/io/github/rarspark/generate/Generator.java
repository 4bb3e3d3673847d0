package io.github.rarspark.generate;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import io.github.rarspark.common.KernelSettings;
import io.github.rarspark.common.samples.ImageSampler;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.weights.LoadedRar;
import io.github.rarspark.common.weights.LoadedTokenizer;
import io.github.rarspark.common.weights.WeightsCache.Lease;
import io.github.rarspark.kernel.image.RgbImage;
import io.github.rarspark.kernel.rar.RarSampler.Request;
import io.github.rarspark.kernel.tensor.Precision;
import java.util.List;

/** Samples and decodes micro-batches of images, with weights that the tasks of an executor share. Used by one task. */
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

    /** Opens the generator of {@code spec}; loads the weights unless they are in the executor's cache. */
    static Generator open(GeneratorSpec spec, Storage storage) {
        Precision precision = KernelSettings.precision(spec.settings().precision());
        Lease<LoadedRar> rar = LoadedRar.lease(spec.weights(), storage, spec.config(), precision, DEVICE);
        try {
            Lease<LoadedTokenizer> tokenizer = LoadedTokenizer.lease(spec.tokenizer(), storage, DEVICE);
            return new Generator(spec, NDManager.newBaseManager(DEVICE), rar, tokenizer);
        } catch (RuntimeException | Error e) {
            rar.close();
            throw e;
        }
    }

    /** Samples the tokens of a micro-batch, {@code [B][T]}. */
    long[][] draw(Request[] requests) {
        return new ImageSampler(spec.settings(), manager).draw(rar.value().model(), requests);
    }

    /** Decodes tokens to images. */
    List<RgbImage> decode(long[][] tokens_BT) {
        return new ImageSampler(spec.settings(), manager)
                .decode(tokenizer.value().vqgan(), tokens_BT);
    }

    @Override
    public void close() {
        manager.close();
        tokenizer.close();
        rar.close();
    }
}
