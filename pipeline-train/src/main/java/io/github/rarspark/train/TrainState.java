package io.github.rarspark.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.conf.TrainSettings;
import io.github.rarspark.kernel.dist.ProcessGroup;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.optim.AdamW;
import io.github.rarspark.kernel.optim.MovingAverage;
import io.github.rarspark.kernel.rar.RarConfig;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.weights.NamedTensors;
import io.github.rarspark.kernel.weights.TensorFile;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;

/**
 * Everything that an update changes: weights, moments, averages, the count of updates. Rank 0 makes or reads it and the
 * others receive it, so that all ranks begin with the same bits.
 */
final class TrainState implements AutoCloseable {
    private final NamedTensors weights;
    private final AdamW optimizer;
    private final Optional<MovingAverage> average;
    private StepCounter counter = StepCounter.START;

    private TrainState(NamedTensors weights, AdamW optimizer, Optional<MovingAverage> average) {
        this.weights = weights;
        this.optimizer = optimizer;
        this.average = average;
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
        Optional<MovingAverage> average = train.emaDecay() > 0
                ? Optional.of(new MovingAverage(manager, weights, train.emaDecay()))
                : Optional.empty();
        TrainState state = new TrainState(weights, optimizer, average);
        if (assignment.resume() != null) {
            if (first) {
                state.read(assignment.resume(), assignment.storage());
            }
            state.counter = assignment.resume().counter(assignment.storage());
            optimizer.resumeAt(state.counter.updates());
        }
        group.broadcast(weights.asMap().values(), 0);
        group.broadcast(optimizer.firstMoments().values(), 0);
        group.broadcast(optimizer.secondMoments().values(), 0);
        average.ifPresent(tensors -> group.broadcast(tensors.averages().asMap().values(), 0));
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

    /** Takes note of an update that was made or skipped. */
    void updated(boolean skipped) {
        counter = counter.next(skipped);
        if (!skipped) {
            average.ifPresent(MovingAverage::update);
        }
    }

    NamedTensors weights() {
        return weights;
    }

    /** The averages of the weights, if {@code train.ema_decay} is set, else the weights. */
    NamedTensors averagedWeights() {
        return average.map(MovingAverage::averages).orElse(weights);
    }

    AdamW optimizer() {
        return optimizer;
    }

    /** A copy to be written as a checkpoint. */
    TrainSnapshot snapshot() {
        return new TrainSnapshot(counter, weights, optimizer, average.map(MovingAverage::averages));
    }

    private void read(Checkpoints.Reference checkpoint, Storage storage) throws IOException {
        TensorFile moments = checkpoint.optimizer().read(storage);
        fill(moments, TrainSnapshot.FIRST_MOMENT, optimizer.firstMoments());
        fill(moments, TrainSnapshot.SECOND_MOMENT, optimizer.secondMoments());
        if (average.isPresent()) {
            fill(
                    checkpoint.averages().read(storage),
                    "",
                    average.get().averages().asMap());
        }
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
        average.ifPresent(MovingAverage::close);
        optimizer.close();
        weights.close();
    }
}
