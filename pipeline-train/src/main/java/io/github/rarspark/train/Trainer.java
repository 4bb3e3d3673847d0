package io.github.rarspark.train;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.KernelSettings;
import io.github.rarspark.common.tokens.TokenStore;
import io.github.rarspark.conf.TrainSettings;
import io.github.rarspark.kernel.optim.StepClock;
import io.github.rarspark.kernel.rar.RarConfig;
import io.github.rarspark.kernel.rar.RarModel;
import java.io.IOException;
import java.util.Optional;

/** One rank's training loop. All ranks take part in every step. */
final class Trainer implements AutoCloseable {
    private final RankContext context;
    private final TrainSettings settings;
    private final TrainState state;
    private final RarModel sampled;
    private final TrainStep trainStep;
    private final StepMetrics metrics;
    private final SampleGrid grid;
    private final Optional<CheckpointWriter> checkpoints;

    private Trainer(RankContext context, RarConfig config, TrainState state, TrainingSamples samples, SampleGrid grid) {
        this.context = context;
        this.settings = context.settings();
        this.state = state;
        RarModel trained = new RarModel(config, state.weights(), KernelSettings.precision(settings.precision()));
        // In float32, whatever the precision of training: autocast would convert the weights anew at every token.
        this.sampled = new RarModel(config, state.averagedWeights());
        StepClock clock = StepClock.ofThread(context.manager().getDevice());
        this.trainStep = new TrainStep(context, state, trained, samples, clock);
        this.metrics = new StepMetrics(context, clock, state);
        this.grid = grid;
        this.checkpoints =
                context.isFirst() ? Optional.of(new CheckpointWriter(context, config, state)) : Optional.empty();
    }

    /** Initializes, loads or receives the state to train on {@code tokens}. */
    static Trainer open(RankContext context, TokenStore tokens) throws IOException {
        RarConfig config = KernelSettings.rar(context.recipe().model());
        TrainingSamples samples =
                new TrainingSamples(tokens, config.tokens(), context.recipe().seed());
        TrainState state = TrainState.open(context, config);
        try {
            return new Trainer(context, config, state, samples, SampleGrid.open(context));
        } catch (IOException | RuntimeException | Error e) {
            state.close();
            throw e;
        }
    }

    /**
     * Trains until the recipe's last step; checkpoints on the way and at the end.
     *
     * @return the updates made or skipped
     */
    long run() throws IOException, InterruptedException {
        Optional<String> warning = context.group().warning();
        if (context.isFirst() && warning.isPresent()) {
            context.warn(state.step(), warning.get());
        }
        while (state.step() < settings.steps()) {
            if (Thread.interrupted()) {
                throw new InterruptedException("Training was cancelled");
            }
            TrainStep.Update update = trainStep.run(isDue(state.step() + 1, settings.logEvery()));
            long step = state.step();
            context.watch().made(step);
            if (isDue(step, settings.logEvery())) {
                metrics.report(step, update);
            }
            if (isDue(step, settings.sampleEvery())) {
                grid.write(sampled, step);
            }
            if (checkpoints.isPresent()) {
                checkpoint(checkpoints.get(), step);
            }
        }
        if (checkpoints.isPresent()) {
            checkpoints.get().await();
        }
        context.group().barrier();
        return state.step();
    }

    /** When the ranks are to stop, the first alone does, after a checkpoint: the others cannot go on without it. */
    private void checkpoint(CheckpointWriter writer, long step) throws IOException, InterruptedException {
        writer.check();
        boolean stop = context.watch().isStopRequested() && step < settings.steps();
        if (stop || isDue(step, settings.checkpointEvery()) || writer.isDue()) {
            writer.begin();
        }
        if (stop) {
            writer.await();
            throw new JobException(ExitCode.INTERRUPTED, "Stopped after step " + step + ", as the driver asked");
        }
    }

    /** Whether something is done after {@code step} updates: at the end, and every so many updates unless 0. */
    private boolean isDue(long step, int every) {
        return step == settings.steps() || every > 0 && step % every == 0;
    }

    @Override
    public void close() {
        checkpoints.ifPresent(CheckpointWriter::close);
        grid.close();
        trainStep.close();
        state.close();
    }
}
