package io.github.rarspark.train;

import ai.djl.ndarray.NDArray;
import io.github.rarspark.common.KernelSettings;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.TrainSettings;
import io.github.rarspark.kernel.dist.GradientReducer;
import io.github.rarspark.kernel.dist.ProcessGroup;
import io.github.rarspark.kernel.error.NumericException;
import io.github.rarspark.kernel.optim.LearningRate;
import io.github.rarspark.kernel.optim.OptimizerStep;
import io.github.rarspark.kernel.rar.KeyedDropout;
import io.github.rarspark.kernel.rar.PermutationSchedule;
import io.github.rarspark.kernel.rar.RarBatch;
import io.github.rarspark.kernel.rar.RarModel;
import io.github.rarspark.kernel.rar.TrainingDraws;
import io.github.rarspark.kernel.tensor.TensorScope;
import java.util.function.Consumer;

/**
 * One update of the weights by all ranks. It is a function of the state and the step's number: samples, orders, dropped
 * classes and dropout masks are drawn by (seed, step, row of the global batch).
 */
final class TrainStep implements AutoCloseable {
    private static final long MEGABYTE = 1 << 20;

    private final RankContext context;
    private final Recipe recipe;
    private final TrainSettings settings;
    private final ProcessGroup group;
    private final TrainingSamples samples;
    private final RarModel model;
    private final TrainingDraws draws;
    private final OptimizerStep optimizerStep;
    private final GradientReducer reducer;

    /**
     * What an update did.
     *
     * @param loss the rank's share of the global batch's mean loss, to be summed over the ranks and divided by their
     *     number
     * @param gradientNorm of the averaged gradient, before clipping
     * @param learningRate of the update
     */
    record Update(double loss, double gradientNorm, double learningRate) {}

    TrainStep(RankContext context, TrainState state, RarModel model, TrainingSamples samples) {
        this.context = context;
        this.recipe = context.recipe();
        this.settings = recipe.train();
        this.group = context.group();
        this.samples = samples;
        this.model = model;
        this.draws = new TrainingDraws(
                recipe.seed(),
                model.config().space(),
                KernelSettings.scanOrder(settings.scanOrder())
                        .orElseThrow()
                        .of(model.config().tokens()),
                new PermutationSchedule(settings.annealStart(), settings.annealEnd()),
                settings.classDrop());
        this.optimizerStep = new OptimizerStep(
                state.optimizer(),
                new LearningRate(settings.lr(), settings.endLr(), settings.warmupSteps(), settings.steps()));
        long bucketBytes = Math.max(1, Math.round(settings.bucketMb() * MEGABYTE));
        this.reducer = new GradientReducer(group, state.weights().asMap().values(), bucketBytes);
    }

    /** Makes the next update. Every rank has the same averaged gradient, so either all of them fail here or none. */
    Update run() {
        long step = optimizerStep.optimizer().steps();
        int rows = settings.samplesPerPass();
        int rankRows = settings.batch() / group.worldSize();
        int passes = rankRows / rows;
        double loss = 0;
        for (int pass = 0; pass < passes; pass++) {
            long firstRow = (long) group.rank() * rankRows + (long) pass * rows;
            Consumer<Runnable> backward = pass == passes - 1 ? reducer::average : Runnable::run;
            loss += forwardBackward(step, firstRow, rows, passes, backward);
        }
        try {
            double norm = optimizerStep.run();
            return new Update(loss, norm, optimizerStep.learningRate().at(step));
        } catch (NumericException e) {
            throw e.advising("the loss of rank " + group.rank() + " was " + loss
                    + "; this run cannot continue: start another with a lower train.lr, in a new --output, from the"
                    + " weights of an earlier checkpoint (--init "
                    + context.assignment().output()
                    + "/checkpoints/step-.../model.safetensors) or without --init");
        }
    }

    /** Adds one pass's gradients, through {@code backward}; returns its share of the mean loss. */
    private double forwardBackward(long step, long firstRow, int rows, int passes, Consumer<Runnable> backward) {
        TrainingSamples.Rows taken = samples.rows(step * settings.batch() + firstRow, rows);
        RarBatch batch = draws.batch(step, firstRow, taken.tokens(), taken.labels());
        KeyedDropout dropout = KeyedDropout.of(recipe.model().dropout(), recipe.seed(), step, firstRow, rows);
        try (TensorScope s = TensorScope.training(context.manager())) {
            NDArray loss = s.affine(model.loss(s, batch, dropout), 1.0 / passes, 0);
            backward.accept(() -> s.backward(loss));
            return loss.getFloat();
        }
    }

    @Override
    public void close() {
        reducer.close();
    }
}
