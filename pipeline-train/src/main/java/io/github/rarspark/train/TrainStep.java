package io.github.rarspark.train;

import ai.djl.ndarray.NDArray;
import io.github.rarspark.common.KernelSettings;
import io.github.rarspark.common.spark.EventLog;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.TrainSettings;
import io.github.rarspark.kernel.dist.GradientReducer;
import io.github.rarspark.kernel.dist.ProcessGroup;
import io.github.rarspark.kernel.error.NumericException;
import io.github.rarspark.kernel.optim.LearningRate;
import io.github.rarspark.kernel.optim.OptimizerStep;
import io.github.rarspark.kernel.optim.StepClock;
import io.github.rarspark.kernel.optim.StepClock.Phase;
import io.github.rarspark.kernel.rar.KeyedDropout;
import io.github.rarspark.kernel.rar.PermutationSchedule;
import io.github.rarspark.kernel.rar.RarBatch;
import io.github.rarspark.kernel.rar.RarModel;
import io.github.rarspark.kernel.rar.TrainingDraws;
import io.github.rarspark.kernel.rar.TrainingLoss;
import io.github.rarspark.kernel.tensor.TensorScope;
import java.io.IOException;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * One update of the weights by all ranks. It is a function of the state and the step's number: samples, orders, dropped
 * classes and dropout masks are drawn by (seed, step, row of the global batch).
 */
final class TrainStep implements AutoCloseable {
    private static final long MEGABYTE = 1 << 20;

    private final RankContext context;
    private final TrainState state;
    private final Recipe recipe;
    private final TrainSettings settings;
    private final ProcessGroup group;
    private final TrainingSamples samples;
    private final RarModel model;
    private final TrainingDraws draws;
    private final OptimizerStep optimizerStep;
    private final GradientReducer reducer;
    private final StepClock clock;

    /**
     * What an update did.
     *
     * @param loss the rank's share of the global batch's mean loss, to be summed over the ranks and divided by their
     *     number
     * @param split the losses of the rank's samples, if the update is logged
     * @param gradientNorm of the averaged gradient, before clipping
     * @param learningRate of the update
     * @param permutationProbability of its samples
     */
    record Update(
            double loss, LossSplit split, double gradientNorm, double learningRate, double permutationProbability) {}

    TrainStep(RankContext context, TrainState state, RarModel model, TrainingSamples samples, StepClock clock) {
        this.context = context;
        this.clock = clock;
        this.state = state;
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

    /**
     * Makes the next update, or skips it if its gradient is not finite or too large. All ranks decide alike, since they
     * have the same averaged gradient.
     *
     * @param logged whether to split the loss, which takes a moment
     * @throws NumericException if too many in a row were skipped
     */
    Update run(boolean logged) throws IOException {
        long step = state.step();
        int rows = settings.samplesPerPass();
        int rankRows = settings.batch() / group.worldSize();
        int passes = rankRows / rows;
        double loss = 0;
        LossSplit split = LossSplit.NONE;
        clock.begin();
        for (int pass = 0; pass < passes; pass++) {
            long firstRow = (long) group.rank() * rankRows + (long) pass * rows;
            Scores scores = forwardBackward(step, firstRow, rows, passes, pass == passes - 1, logged);
            loss += scores.loss();
            split = split.plus(scores.split());
        }
        double limit = settings.skipGradNorm() > 0 ? settings.skipGradNorm() : Double.MAX_VALUE;
        OptimizerStep.Result result = optimizerStep.runOrSkip(step, limit);
        clock.end(Phase.OPTIMIZER);
        state.updated(result.skipped());
        if (result.skipped()) {
            skipped(loss, result.gradientNorm());
        }
        return new Update(
                loss,
                split,
                result.gradientNorm(),
                optimizerStep.learningRate().at(step),
                draws.schedule().probability(step));
    }

    private void skipped(double loss, double norm) throws IOException {
        boolean tooLarge = Double.isFinite(norm);
        String reason = "The gradient of step " + state.step() + " "
                + (tooLarge
                        ? "has norm " + norm + " (train.skip_grad_norm is " + settings.skipGradNorm() + ")"
                        : "is not finite")
                + "; the loss of rank " + group.rank() + " was " + loss;
        int inRow = state.counter().skippedInRow();
        if (inRow > settings.maxSkips()) {
            throw new NumericException(reason + "; this run cannot continue after " + inRow
                    + " skipped updates in a row (train.max_skips is " + settings.maxSkips() + "): start another with "
                    + (tooLarge ? "a larger train.skip_grad_norm or " : "")
                    + "a lower train.lr, in a new --output, from the weights of an earlier"
                    + " checkpoint (--init " + context.assignment().output()
                    + "/checkpoints/step-.../model.safetensors) or without --init");
        }
        if (context.isFirst()) {
            context.warn(state.step(), reason + "; the update is skipped");
            EventLog.log("update_skipped", Map.of("step", state.step(), "loss", loss, "gradient_norm", norm));
        }
    }

    /** What a pass tells about the loss: its share of the rank's mean, and the sums of its samples. */
    private record Scores(double loss, LossSplit split) {}

    /** Adds one pass's gradients; after the last pass they are averaged over the ranks. */
    private Scores forwardBackward(long step, long firstRow, int rows, int passes, boolean last, boolean logged) {
        TrainingSamples.Rows taken = samples.rows(step * settings.batch() + firstRow, rows);
        RarBatch batch = draws.batch(step, firstRow, taken.tokens(), taken.labels());
        KeyedDropout dropout = KeyedDropout.of(recipe.model().dropout(), recipe.seed(), step, firstRow, rows);
        clock.end(Phase.DATA);
        try (TensorScope s = TensorScope.training(context.manager())) {
            TrainingLoss loss = model.trainingLoss(s, batch, dropout, settings.activationCheckpointing());
            NDArray share = s.affine(loss.scored().loss(), 1.0 / passes, 0);
            NDArray guarded = guarded(s, share);
            clock.end(Phase.FORWARD);
            if (last && group.worldSize() > 1) {
                clock.endReduced(() -> reducer.average(() -> loss.backward(guarded)));
            } else if (last) {
                reducer.average(() -> loss.backward(guarded));
            } else {
                loss.backward(guarded);
            }
            float value = share.getFloat();
            clock.end(Phase.BACKWARD);
            return new Scores(value, logged ? split(s, step, firstRow, loss.scored(), batch) : LossSplit.NONE);
        }
    }

    /** The loss; if it is not finite, neither is any gradient of this, so every rank learns of it by the average. */
    static NDArray guarded(TensorScope s, NDArray loss) {
        NDArray oneIfFinite = s.affine(s.detach(loss), 0, 1);
        return s.multiply(loss, oneIfFinite);
    }

    private LossSplit split(TensorScope s, long step, long firstRow, RarModel.Scored scored, RarBatch batch) {
        int[] permuted = IntStream.range(0, batch.rows())
                .filter(row -> draws.isPermuted(step, firstRow + row))
                .toArray();
        int others = batch.rows() - permuted.length;
        double sum = batch.rows() * (double) scored.loss().getFloat();
        if (permuted.length == 0 || others == 0) {
            return new LossSplit(others == 0 ? sum : 0, permuted.length, others == 0 ? 0 : sum, others);
        }
        double sumPermuted = permuted.length * scored.lossOf(s, batch, permuted);
        return new LossSplit(sumPermuted, permuted.length, sum - sumPermuted, others);
    }

    @Override
    public void close() {
        reducer.close();
    }
}
