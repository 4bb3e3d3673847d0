package io.github.rarspark.common.weights;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.kernel.rar.RarConfig;
import io.github.rarspark.kernel.rar.RarModel;
import io.github.rarspark.kernel.weights.NamedTensors;
import java.io.IOException;

/**
 * A generator in memory that is not trained, with the manager of its tensors.
 *
 * @param model the generator
 * @param manager owner of its tensors
 */
public record LoadedRar(RarModel model, NDManager manager) implements AutoCloseable {
    /**
     * Leases the generator of {@code file} on this executor, whose first task loads it.
     *
     * @param bfloat16 whether its large matrices are kept in bfloat16
     */
    public static WeightsCache.Lease<LoadedRar> lease(
            WeightFile file, Storage storage, RarConfig config, boolean bfloat16, Device device) {
        String kind = "rar " + config + (bfloat16 ? " bf16" : " fp32");
        return WeightsCache.shared()
                .lease(
                        file.key(kind, device.toString()),
                        LoadedRar.class,
                        file.bytes(),
                        () -> load(file, storage, config, bfloat16, device));
    }

    private static LoadedRar load(WeightFile file, Storage storage, RarConfig config, boolean bfloat16, Device device)
            throws IOException {
        NDManager manager = NDManager.newBaseManager(device);
        try {
            NamedTensors weights = NamedTensors.load(file.read(storage), config.parameters(), manager);
            RarModel model = RarModel.forSampling(config, weights, bfloat16);
            if (bfloat16) {
                weights.close();
            }
            return new LoadedRar(model, manager);
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
