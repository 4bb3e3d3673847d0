package io.github.rarspark.train;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import io.github.rarspark.common.KernelSettings;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.run.Plan;
import io.github.rarspark.common.run.PreFlight;
import io.github.rarspark.common.run.RunOutput;
import io.github.rarspark.common.spark.LoadedRar;
import io.github.rarspark.common.spark.Progress;
import io.github.rarspark.common.spark.SparkSessions;
import io.github.rarspark.common.spark.UnitTasks;
import io.github.rarspark.common.spark.WeightFile;
import io.github.rarspark.common.spark.WeightsCache.Lease;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.tokens.TokenBlock;
import io.github.rarspark.common.tokens.TokenSource;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.TrainSettings;
import io.github.rarspark.kernel.rar.KeyedDropout;
import io.github.rarspark.kernel.rar.MergedPositions;
import io.github.rarspark.kernel.rar.PermutationSchedule;
import io.github.rarspark.kernel.rar.RarConfig;
import io.github.rarspark.kernel.rar.RarModel;
import io.github.rarspark.kernel.rar.TrainingDraws;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.tensor.Torch;
import io.github.rarspark.kernel.weights.TensorFile;
import java.io.IOException;
import java.io.Serializable;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.spark.sql.SparkSession;

/**
 * {@code train --evaluate}: the mean loss of given weights over all tokens, in the target order, with every class known
 * and without dropout; in 32 bits, whatever the precision of training. One task for each block of tokens. Driver only.
 */
final class EvaluateJob {
    private static final Device DEVICE = Device.cpu();

    private final SparkSession session;
    private final Recipe recipe;
    private final Storage storage;
    private final boolean quiet;

    EvaluateJob(SparkSession session, Recipe recipe, boolean quiet) {
        this.session = session;
        this.recipe = recipe;
        this.storage = new Storage(session.sparkContext().hadoopConfiguration());
        this.quiet = quiet;
    }

    JobResult run(TokenSource tokens) throws IOException {
        recipe.requireGiven("train --evaluate", "train.init");
        Instant started = Instant.now();
        TrainSettings settings = recipe.train();
        PreFlight.requireInput(storage, "--init", settings.init());
        WeightFile weights = WeightFile.of(storage, settings.init());
        TensorFile file = weights.read(storage);
        KernelSettings.rar(recipe.model()).parameters().check(settings.init(), file.tensors());
        MergedPositions.require(
                file.metadata(), KernelSettings.scanOrder(settings.scanOrder()), settings.init(), "train.scan_order");
        Plan plan = Plan.of(
                "train --evaluate",
                recipe.sha256("model", "train"),
                Map.of("tokens", tokens.sha256(), "init", weights.sha256()),
                Map.of());
        return new RunOutput(storage, settings.output()).run(plan, started, claim -> {
            double loss = measure(tokens, weights);
            double seconds = Duration.between(started, Instant.now()).toMillis() / 1e3;
            return JobResult.done(
                    plan, started, seconds, Map.of("rows", tokens.rows()), Map.of("loss", loss), List.of());
        });
    }

    /** The loss of a block, to be weighted by its rows. */
    private record BlockLoss(int block, double sum) implements Serializable {}

    private double measure(TokenSource tokens, WeightFile weights) {
        SparkSessions.describe(session, "evaluate " + tokens.blocks() + " blocks of tokens");
        // Summed in the order of the blocks, whoever is done first.
        double[] sums = new double[tokens.blocks()];
        Recipe sent = recipe;
        Storage handle = storage;
        try (Progress progress = Progress.start("evaluate", "blocks", tokens.blocks(), quiet)) {
            UnitTasks.run(
                    session,
                    IntStream.range(0, tokens.blocks()).boxed().toList(),
                    block -> new BlockLoss(block, sumOfLosses(sent, handle, weights, tokens.read(block))),
                    done -> {
                        sums[done.block()] = done.sum();
                        progress.step(1);
                    });
        }
        return Arrays.stream(sums).sum() / tokens.rows();
    }

    private static double sumOfLosses(Recipe recipe, Storage storage, WeightFile weights, TokenBlock block)
            throws IOException {
        Torch.setIntraOpThreads(recipe.train().threads());
        RarConfig config = KernelSettings.rar(recipe.model());
        TrainingDraws draws = new TrainingDraws(
                recipe.seed(),
                config.space(),
                KernelSettings.scanOrder(recipe.train().scanOrder())
                        .orElseThrow()
                        .of(config.tokens()),
                new PermutationSchedule(0, 0),
                0);
        int batch = recipe.train().samplesPerPass();
        double sum = 0;
        try (Lease<LoadedRar> lease = LoadedRar.lease(weights, storage, config, false, DEVICE);
                NDManager manager = NDManager.newBaseManager(DEVICE)) {
            RarModel model = lease.value().model();
            for (int first = 0; first < block.rows(); first += batch) {
                UnitTasks.endIfKilled();
                int rows = Math.min(batch, block.rows() - first);
                long[][] tokens = new long[rows][config.tokens()];
                int[] labels = new int[rows];
                for (int row = 0; row < rows; row++) {
                    labels[row] = block.classIds()[first + row];
                    block.copyTokens(first + row, tokens[row], 0);
                }
                try (TensorScope s = TensorScope.inference(manager)) {
                    sum += rows
                            * (double) model.loss(s, draws.batch(0, first, tokens, labels), KeyedDropout.NONE)
                                    .getFloat();
                }
            }
        }
        return sum;
    }
}
