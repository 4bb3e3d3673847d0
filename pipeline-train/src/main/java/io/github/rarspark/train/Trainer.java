package io.github.rarspark.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.rarspark.common.KernelSettings;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.storage.Stored;
import io.github.rarspark.conf.Precision;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.TrainSettings;
import io.github.rarspark.kernel.dist.GradientReducer;
import io.github.rarspark.kernel.dist.ProcessGroup;
import io.github.rarspark.kernel.error.NumericException;
import io.github.rarspark.kernel.optim.LearningRate;
import io.github.rarspark.kernel.rar.KeyedDropout;
import io.github.rarspark.kernel.rar.PermutationSchedule;
import io.github.rarspark.kernel.rar.RarBatch;
import io.github.rarspark.kernel.rar.RarConfig;
import io.github.rarspark.kernel.rar.RarModel;
import io.github.rarspark.kernel.rar.TrainingDraws;
import io.github.rarspark.kernel.tensor.Autocast;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.train.coordinator.Report;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * One rank's training loop. A step is a function of the state and the step's number: samples, orders, dropped classes
 * and dropout masks are drawn by (seed, step, row of the global batch). All ranks take part in every step.
 */
final class Trainer {
    private static final long MEGABYTE = 1 << 20;

    /** What rank 0 does with its findings; the other ranks do nothing. */
    interface Reporter {
        void send(Report report) throws IOException;
    }

    private final RankAssignment assignment;
    private final TrainSettings settings;
    private final Recipe recipe;
    private final ProcessGroup group;
    private final NDManager manager;
    private final TrainingSamples samples;
    private final TrainState state;
    private final RarModel model;
    private final RarConfig config;
    private final TrainingDraws draws;
    private final LearningRate learningRate;
    private final SampleGrid grid;
    private final Reporter reporter;
    private long lastReport = System.nanoTime();
    private long lastReportedStep;

    Trainer(
            RankAssignment assignment,
            ProcessGroup group,
            NDManager manager,
            TrainingSamples samples,
            TrainState state,
            RarConfig config,
            SampleGrid grid,
            Reporter reporter) {
        this.assignment = assignment;
        this.recipe = assignment.recipe();
        this.settings = recipe.train();
        this.group = group;
        this.manager = manager;
        this.samples = samples;
        this.state = state;
        this.config = config;
        this.grid = grid;
        this.reporter = reporter;
        this.model = new RarModel(config, state.weights());
        this.draws = new TrainingDraws(
                recipe.seed(),
                config.space(),
                KernelSettings.scanOrder(settings.scanOrder()).orElseThrow().of(config.tokens()),
                new PermutationSchedule(settings.annealStart(), settings.annealEnd()),
                settings.classDrop());
        this.learningRate = new LearningRate(settings.lr(), settings.endLr(), settings.warmupSteps(), settings.steps());
        this.lastReportedStep = state.optimizer().steps();
    }

    /** Trains until the recipe's last step; checkpoints on the way and at the end. */
    void run() throws IOException, InterruptedException {
        long bucketBytes = Math.max(1, Math.round(settings.bucketMb() * MEGABYTE));
        try (GradientReducer reducer =
                new GradientReducer(group, state.weights().asMap().values(), bucketBytes)) {
            while (state.optimizer().steps() < settings.steps()) {
                if (Thread.interrupted()) {
                    throw new InterruptedException("Training was cancelled");
                }
                long step = state.optimizer().steps();
                Update update = update(step, reducer);
                afterStep(step + 1, update);
            }
        }
    }

    /** What an update did: the rank's mean loss and the norm of the averaged gradient. */
    private record Update(double loss, double gradientNorm) {}

    private Update update(long step, GradientReducer reducer) {
        int passRows = settings.samplesPerPass();
        int rankRows = settings.batch() / group.worldSize();
        int passes = rankRows / passRows;
        state.optimizer().zeroGradients();
        double loss = 0;
        for (int pass = 0; pass < passes; pass++) {
            boolean last = pass == passes - 1;
            if (last) {
                reducer.prepare();
            }
            loss += forwardBackward(step, (long) group.rank() * rankRows + (long) pass * passRows, passRows, passes);
        }
        double norm = state.optimizer().clipGradients();
        // Every rank has the same averaged gradient, so all of them stop here or none does.
        if (!Double.isFinite(norm)) {
            throw new NumericException("The gradient of step " + step + " is not finite (loss of rank " + group.rank()
                    + ": " + loss + "); lower train.lr or resume from an earlier checkpoint");
        }
        state.optimizer().step(learningRate.at(step));
        return new Update(loss, norm);
    }

    /** Adds one pass's gradients; returns its share of the mean loss. */
    private double forwardBackward(long step, long firstRow, int rows, int passes) {
        TrainingSamples.Rows taken = samples.rows(step * settings.batch() + firstRow, rows);
        RarBatch batch = draws.batch(step, firstRow, taken.tokens(), taken.labels());
        KeyedDropout dropout = KeyedDropout.of(recipe.model().dropout(), recipe.seed(), step, firstRow, rows);
        try (TensorScope s = TensorScope.training(manager)) {
            NDArray loss = s.affine(loss(s, batch, dropout), 1.0 / passes, 0);
            s.backward(loss);
            return loss.getFloat();
        }
    }

    private NDArray loss(TensorScope s, RarBatch batch, KeyedDropout dropout) {
        if (settings.precision() == Precision.FP32) {
            return model.loss(s, batch, dropout);
        }
        try (Autocast autocast = Autocast.bfloat16(s.device())) {
            return model.loss(s, batch, dropout);
        }
    }

    private void afterStep(long done, Update update) throws IOException {
        boolean last = done == settings.steps();
        if (done % settings.logEvery() == 0 || last) {
            report(done, update);
        }
        if (settings.sampleEvery() > 0 && done % settings.sampleEvery() == 0 || last) {
            grid.write(model, done);
        }
        if (group.rank() == 0 && (done % settings.checkpointEvery() == 0 || last)) {
            checkpoint(done);
        }
    }

    private void report(long done, Update update) throws IOException {
        double meanLoss;
        try (TensorScope s = TensorScope.inference(manager)) {
            NDArray loss = s.doubles(new double[] {update.loss() / group.worldSize()}, 1);
            group.allReduceSum(loss);
            meanLoss = loss.getDouble(0);
        }
        long now = System.nanoTime();
        double seconds = Math.max(1e-9, (now - lastReport) / 1e9);
        double images = (double) (done - lastReportedStep) * settings.batch();
        lastReport = now;
        lastReportedStep = done;
        reporter.send(new Report.Progress(
                done, meanLoss, learningRate.at(done - 1), update.gradientNorm(), images / seconds));
    }

    private void checkpoint(long done) throws IOException {
        String name = Checkpoints.name(done, assignment.attempt());
        String directory = Storage.child(Storage.child(assignment.output(), Checkpoints.FOLDER), name);
        Storage storage = assignment.storage();
        List<Stored> files =
                new ArrayList<>(state.write(storage, directory, ModelMetadata.of(config, assignment, done)));
        files.add(storage.putJson(
                Storage.child(directory, Checkpoints.STATE),
                Map.of("step", done, "ranks", group.worldSize(), "plan", assignment.planSha256())));
        reporter.send(new Report.Checkpoint(done, name, files));
    }
}
