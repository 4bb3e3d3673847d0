package io.github.rarspark.common.weights;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.kernel.rar.RarConfig;
import io.github.rarspark.kernel.rar.RarModel;
import io.github.rarspark.kernel.tensor.Precision;
import io.github.rarspark.kernel.weights.NamedTensors;
import java.io.IOException;

/**
 * A generator in memory, for inference, with the manager of its tensors.
 *
 * @param model the generator
 * @param manager owner of its tensors
 */
public record LoadedRar(RarModel model, NDManager manager) implements AutoCloseable {
    /**
     * Leases the generator of {@code file} on this executor, whose first task loads it.
     *
     * @param precision of its products; its large matrices are kept in that type
     */
    public static WeightsCache.Lease<LoadedRar> lease(
            WeightFile file, Storage storage, RarConfig config, Precision precision, Device device) {
        String kind = "rar " + config + " " + precision.label();
        return WeightsCache.shared()
                .lease(
                        file.key(kind, device.toString()),
                        LoadedRar.class,
                        file.bytes(),
                        () -> load(file, storage, config, precision, device));
    }

    private static LoadedRar load(
            WeightFile file, Storage storage, RarConfig config, Precision precision, Device device) throws IOException {
        NDManager manager = NDManager.newBaseManager(device);
        try {
            try (NamedTensors weights = NamedTensors.load(file.read(storage), config.parameters(), manager)) {
                return new LoadedRar(RarModel.forSampling(config, weights, precision), manager);
            }
        } catch (IOException | RuntimeException | Error e) {
            manager.close();
            throw e;
        }
    }

    @Override
    public void close() {
        model.close();
        manager.close();
    }
}
