package io.github.rarspark.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.storage.Stored;
import io.github.rarspark.conf.TrainSettings;
import io.github.rarspark.kernel.dist.ProcessGroup;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.optim.AdamW;
import io.github.rarspark.kernel.rar.RarConfig;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.weights.NamedTensors;
import io.github.rarspark.kernel.weights.TensorFile;
import io.github.rarspark.kernel.weights.safetensors.Safetensors;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Everything that an update changes: weights, moments, the count of updates. Rank 0 makes or reads it and the others
 * receive it, so that all ranks begin with the same bits.
 */
final class TrainState implements AutoCloseable {
    private static final String FIRST_MOMENT = "first_moment/";
    private static final String SECOND_MOMENT = "second_moment/";

    private final NamedTensors weights;
    private final AdamW optimizer;
    private StepCounter counter = StepCounter.START;

    private TrainState(NamedTensors weights, AdamW optimizer) {
        this.weights = weights;
        this.optimizer = optimizer;
    }

    /** The state to begin with: of the checkpoint, else of the weights in {@code train.init}, else random. */
    static TrainState open(RankContext context, RarConfig config) throws IOException {
        RankAssignment assignment = context.assignment();
        ProcessGroup group = context.group();
        NDManager manager = context.manager();
        TrainSettings train = context.settings();
        boolean first = context.isFirst();
        NamedTensors weights;
        if (!first) {
            weights = NamedTensors.create(
                    config.parameters(),
                    manager,
                    spec -> new float[Math.toIntExact(spec.shape().size())]);
        } else if (assignment.resume() != null) {
            weights = NamedTensors.load(
                    assignment.resume().model().read(assignment.storage()), config.parameters(), manager);
        } else if (assignment.init() != null) {
            weights = NamedTensors.load(assignment.init().read(assignment.storage()), config.parameters(), manager);
        } else {
            weights = NamedTensors.initial(
                    config.parameters(), assignment.recipe().seed(), manager);
        }
        AdamW optimizer = new AdamW(
                manager,
                weights.asMap(),
                config::decays,
                new AdamW.Settings(
                        train.beta1(), train.beta2(), train.eps(), train.weightDecay(), train.maxGradNorm()));
        TrainState state = new TrainState(weights, optimizer);
        if (assignment.resume() != null) {
            if (first) {
                state.readMoments(assignment.resume().optimizer().read(assignment.storage()));
            }
            state.counter = assignment.resume().counter(assignment.storage());
            optimizer.resumeAt(state.counter.updates());
        }
        group.broadcast(weights.asMap().values(), 0);
        group.broadcast(optimizer.firstMoments().values(), 0);
        group.broadcast(optimizer.secondMoments().values(), 0);
        TensorScope.requireGradients(weights.asMap().values());
        return state;
    }

    /** How far the training is. */
    StepCounter counter() {
        return counter;
    }

    /** The updates made or skipped so far. */
    long step() {
        return counter.step();
    }

    /** Counts an update that was made or skipped. */
    void count(boolean skipped) {
        counter = counter.next(skipped);
    }

    NamedTensors weights() {
        return weights;
    }

    AdamW optimizer() {
        return optimizer;
    }

    /** Writes weights and moments into a folder; returns what was written. */
    List<Stored> write(Storage storage, String directory, Map<String, String> metadata) throws IOException {
        Map<String, NDArray> moments = new LinkedHashMap<>();
        optimizer.firstMoments().forEach((name, moment) -> moments.put(FIRST_MOMENT + name, moment));
        optimizer.secondMoments().forEach((name, moment) -> moments.put(SECOND_MOMENT + name, moment));
        return List.of(
                storage.put(
                        Storage.child(directory, Checkpoints.MODEL),
                        out -> Safetensors.write(out, metadata, weights.asMap())),
                storage.put(
                        Storage.child(directory, Checkpoints.OPTIMIZER),
                        out -> Safetensors.write(out, Map.of(), moments)));
    }

    private void readMoments(TensorFile file) {
        fill(file, FIRST_MOMENT, optimizer.firstMoments());
        fill(file, SECOND_MOMENT, optimizer.secondMoments());
    }

    private void fill(TensorFile file, String prefix, Map<String, NDArray> moments) {
        moments.forEach((name, moment) -> {
            try (TensorScope s = TensorScope.inference(weights.manager())) {
                NDArray stored = file.load(prefix + name, s.manager());
                if (!stored.getShape().equals(moment.getShape())) {
                    throw new DataException("Cannot resume: " + prefix + name + " of " + file.file() + " has shape "
                            + stored.getShape() + " instead of " + moment.getShape());
                }
                s.copy(moment, stored);
            }
        });
    }

    @Override
    public void close() {
        optimizer.close();
        weights.close();
    }
}
