package io.github.rarspark.generate;

import ai.djl.ndarray.NDManager;
import io.github.rarspark.common.KernelSettings;
import io.github.rarspark.common.samples.DecodingPool;
import io.github.rarspark.common.samples.ImageSampler;
import io.github.rarspark.common.spark.TaskDevice;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.weights.LoadedRar;
import io.github.rarspark.common.weights.LoadedTokenizer;
import io.github.rarspark.common.weights.WeightsCache.Lease;
import io.github.rarspark.kernel.image.RgbImage;
import io.github.rarspark.kernel.rar.RarSampler.Request;
import io.github.rarspark.kernel.tensor.Precision;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/**
 * Samples and decodes images in batches, with weights that the tasks of an executor share. If the task has more cores
 * than sampling has threads, a batch is decoded on the others while the next one is sampled. Used by one task.
 */
final class Generator implements AutoCloseable {
    private final NDManager manager;
    private final Lease<LoadedRar> rar;
    private final Lease<LoadedTokenizer> tokenizer;
    private final ImageSampler sampler;
    private final DecodingPool pool;
    private final boolean aside;

    private Generator(
            GeneratorSpec spec, NDManager manager, Lease<LoadedRar> rar, Lease<LoadedTokenizer> tokenizer, int cores) {
        this.manager = manager;
        this.rar = rar;
        this.tokenizer = tokenizer;
        this.sampler = new ImageSampler(spec.settings(), manager);
        int threads = spec.settings().threads();
        this.aside = cores > threads;
        this.pool = new DecodingPool(tokenizer.value().vqgan(), aside ? cores - threads : threads);
    }

    /**
     * Opens the generator of {@code spec}; loads the weights unless they are in the executor's cache.
     *
     * @param device must stay open until the generator is closed
     * @param cores of the task
     */
    static Generator open(GeneratorSpec spec, Storage storage, TaskDevice device, int cores) {
        Precision precision = KernelSettings.precision(spec.settings().precision());
        Lease<LoadedRar> rar = LoadedRar.lease(spec.weights(), storage, spec.config(), precision, device.device());
        try {
            Lease<LoadedTokenizer> tokenizer = LoadedTokenizer.lease(spec.tokenizer(), storage, device.device());
            return new Generator(spec, device.newManager(), rar, tokenizer, cores);
        } catch (RuntimeException | Error e) {
            rar.close();
            throw e;
        }
    }

    /** Receives a batch of images, in their order. */
    @FunctionalInterface
    interface Batches {
        void accept(Request[] requests, long[][] tokens, List<RgbImage> images) throws IOException;
    }

    /** A batch that is being decoded. */
    private record Started(Request[] requests, long[][] tokens, DecodingPool.Decoding decoding) {
        void passTo(Batches batches) throws IOException {
            batches.accept(requests, tokens, decoding.images());
        }
    }

    /**
     * Generates images.
     *
     * @param requests batch by batch
     * @param beforeEach called before each batch
     */
    void generate(List<Request[]> requests, Runnable beforeEach, Batches batches) throws IOException {
        Optional<Started> last = Optional.empty();
        for (Request[] batch : requests) {
            beforeEach.run();
            long[][] tokens = sampler.draw(rar.value().model(), batch);
            Started started = new Started(batch, tokens, pool.start(tokens));
            if (last.isPresent()) {
                last.get().passTo(batches);
            }
            last = Optional.of(started);
            if (!aside) {
                started.passTo(batches);
                last = Optional.empty();
            }
        }
        if (last.isPresent()) {
            last.get().passTo(batches);
        }
    }

    @Override
    public void close() {
        pool.close();
        manager.close();
        tokenizer.close();
        rar.close();
    }
}
