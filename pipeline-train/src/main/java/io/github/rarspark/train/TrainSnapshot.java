package io.github.rarspark.train;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.storage.Stored;
import io.github.rarspark.kernel.optim.AdamW;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.weights.NamedTensors;
import io.github.rarspark.kernel.weights.safetensors.Safetensors;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A copy of the state after an update in the host's memory, which another thread can write while the training goes on. It does not belong to
 * the rank's manager, so it outlives the rank until it is closed.
 */
final class TrainSnapshot implements AutoCloseable {
    static final String FIRST_MOMENT = "first_moment/";
    static final String SECOND_MOMENT = "second_moment/";

    private final StepCounter counter;
    private final NDManager manager = NDManager.newBaseManager(Device.cpu());
    private final NamedTensors weights;
    private final Map<String, NDArray> moments = new LinkedHashMap<>();
    private final Optional<NamedTensors> averages;

    /** @param averages of the weights, if there are any */
    TrainSnapshot(StepCounter counter, NamedTensors weights, AdamW optimizer, Optional<NamedTensors> averages) {
        this.counter = counter;
        try (TensorScope s = TensorScope.inference(manager)) {
            this.weights = weights.copyTo(manager);
            optimizer
                    .firstMoments()
                    .forEach((name, moment) -> moments.put(FIRST_MOMENT + name, s.keep(s.copyOf(moment))));
            optimizer
                    .secondMoments()
                    .forEach((name, moment) -> moments.put(SECOND_MOMENT + name, s.keep(s.copyOf(moment))));
            this.averages = averages.map(tensors -> tensors.copyTo(manager));
        } catch (RuntimeException | Error e) {
            manager.close();
            throw e;
        }
    }

    /** How far the training was. */
    StepCounter counter() {
        return counter;
    }

    /** Writes the tensors into a folder; returns what was written. */
    List<Stored> write(Storage storage, String directory, Map<String, String> metadata) throws IOException {
        List<Stored> files = new ArrayList<>();
        files.add(write(storage, Storage.child(directory, Checkpoints.MODEL), metadata, weights.asMap()));
        files.add(write(storage, Storage.child(directory, Checkpoints.OPTIMIZER), Map.of(), moments));
        if (averages.isPresent()) {
            files.add(write(
                    storage,
                    Storage.child(directory, Checkpoints.EMA),
                    metadata,
                    averages.get().asMap()));
        }
        return files;
    }

    private static Stored write(
            Storage storage, String path, Map<String, String> metadata, Map<String, NDArray> tensors)
            throws IOException {
        return storage.put(path, out -> Safetensors.write(out, metadata, tensors));
    }

    @Override
    public void close() {
        manager.close();
    }
}
