package io.github.rarspark.common.weights;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.kernel.vqgan.Vqgan;
import java.io.IOException;

/**
 * A tokenizer in memory, with the manager of its tensors.
 *
 * @param vqgan the tokenizer
 * @param manager owner of its tensors
 */
public record LoadedTokenizer(Vqgan vqgan, NDManager manager) implements AutoCloseable {
    /** Leases the tokenizer of {@code file} on this executor, whose first task loads it. */
    public static WeightsCache.Lease<LoadedTokenizer> lease(WeightFile file, Storage storage, Device device) {
        return WeightsCache.shared()
                .lease(
                        file.key("vqgan", device.toString()),
                        LoadedTokenizer.class,
                        file.bytes(),
                        () -> load(file, storage, device));
    }

    private static LoadedTokenizer load(WeightFile file, Storage storage, Device device) throws IOException {
        NDManager manager = NDManager.newBaseManager(device);
        try {
            return new LoadedTokenizer(Vqgan.load(file.read(storage), manager), manager);
        } catch (IOException | RuntimeException | Error e) {
            manager.close();
            throw e;
        }
    }

    @Override
    public void close() {
        manager.close();
    }
}
