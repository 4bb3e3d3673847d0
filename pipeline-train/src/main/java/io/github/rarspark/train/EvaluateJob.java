package io.github.rarspark.train;

import ai.djl.ndarray.NDManager;
import io.github.rarspark.common.KernelSettings;
import io.github.rarspark.common.job.Job;
import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.job.Outcome;
import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.run.Plan;
import io.github.rarspark.common.spark.JobDevice;
import io.github.rarspark.common.spark.Progress;
import io.github.rarspark.common.spark.SparkSessions;
import io.github.rarspark.common.spark.TaskDevice;
import io.github.rarspark.common.spark.UnitTasks;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.tokens.TokenBlock;
import io.github.rarspark.common.tokens.TokenSource;
import io.github.rarspark.common.weights.LoadedRar;
import io.github.rarspark.common.weights.WeightFile;
import io.github.rarspark.common.weights.WeightsCache.Lease;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.TrainSettings;
import io.github.rarspark.kernel.content.WeightContent;
import io.github.rarspark.kernel.error.NativeMemoryException;
import io.github.rarspark.kernel.rar.KeyedDropout;
import io.github.rarspark.kernel.rar.MergedPositions;
import io.github.rarspark.kernel.rar.PermutationSchedule;
import io.github.rarspark.kernel.rar.RarBatch;
import io.github.rarspark.kernel.rar.RarConfig;
import io.github.rarspark.kernel.rar.RarModel;
import io.github.rarspark.kernel.rar.TrainingDraws;
import io.github.rarspark.kernel.tensor.Precision;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.weights.TensorFile;
import java.io.IOException;
import java.io.Serializable;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * {@code train --evaluate}: the mean loss of given weights over all tokens, in the scan order and in random orders, with
 * every class known and without dropout, in the recipe's precision. Weights whose positions are merged for the scan order
 * have no other. One task for each block of tokens. Driver only.
 */
final class EvaluateJob implements Job<EvaluateJob.Losses> {
    private final JobContext context;
    private final TokenSource tokens;
    private final WeightFile weights;
    private final boolean permutes;

    private EvaluateJob(JobContext context, TokenSource tokens, WeightFile weights, boolean permutes) {
        this.context = context;
        this.tokens = tokens;
        this.weights = weights;
        this.permutes = permutes;
    }

    static EvaluateJob open(JobContext context) throws IOException {
        Recipe recipe = context.recipe();
        Storage storage = context.storage();
        TrainSettings settings = recipe.train();
        recipe.requireGiven("train --evaluate", "train.tokens", "train.init", "train.output");
        TokenSource tokens = TrainInputs.tokens(storage, recipe);
        WeightFile weights = WeightFile.given(storage, "--init", settings.init());
        TensorFile file = weights.read(storage);
        WeightContent.require(WeightContent.Kind.RAR, file, "--init");
        WeightContent.require(KernelSettings.rar(recipe.model()).parameters(), file);
        MergedPositions.require(
                file.metadata(), KernelSettings.scanOrder(settings.scanOrder()), settings.init(), "train.scan_order");
        boolean merged = MergedPositions.order(file.metadata()).isPresent();
        return new EvaluateJob(context, tokens, weights, !merged);
    }

    @Override
    public String output() {
        return context.recipe().train().output();
    }

    @Override
    public Plan plan() {
        return Plan.of(
                "train --evaluate",
                context.recipe().resultSettings("model", "train", "compute"),
                Map.of(TokenSource.INPUT, tokens.sha256(), "init", weights.sha256()),
                Map.of());
    }

    /**
     * Losses of some rows.
     *
     * @param scanOrder in the scan order
     * @param permuted in random orders
     */
    record Losses(double scanOrder, double permuted) implements Serializable {}

    /** The sums over a block's rows. */
    private record BlockLosses(int block, Losses sums) implements Serializable {}

    /** The mean losses. They have no parts that are kept, so another attempt measures all of it again. */
    @Override
    public Losses runMissing(OutputClaim claim) {
        SparkSessions.describe(context.session(), "evaluate " + tokens.blocks() + " blocks of tokens");
        // Summed in the order of the blocks, whoever is done first.
        Losses[] sums = new Losses[tokens.blocks()];
        BlockTask task =
                new BlockTask(context.recipe(), context.storage(), weights, permutes, tokens, context.device());
        try (Progress progress = context.progress("evaluate", "blocks", tokens.blocks())) {
            UnitTasks.run(
                    context.session(),
                    context.device(),
                    IntStream.range(0, tokens.blocks()).boxed().toList(),
                    task,
                    done -> {
                        sums[done.block()] = done.sums();
                        progress.step(1);
                    });
        }
        return new Losses(
                Arrays.stream(sums).mapToDouble(Losses::scanOrder).sum() / tokens.rows(),
                Arrays.stream(sums).mapToDouble(Losses::permuted).sum() / tokens.rows());
    }

    @Override
    public Outcome commit(OutputClaim claim, Losses losses) {
        Map<String, Double> metrics = permutes
                ? Map.of("loss", losses.scanOrder(), "loss_permuted", losses.permuted())
                : Map.of("loss", losses.scanOrder());
        return Outcome.of(Map.of("rows", tokens.rows()), metrics, tokens.warnings());
    }

    /** Measures a block, on an executor. */
    private record BlockTask(
            Recipe recipe, Storage storage, WeightFile weights, boolean permutes, TokenSource tokens, JobDevice device)
            implements UnitTasks.Work<Integer, BlockLosses> {
        @Override
        public BlockLosses run(Integer block) throws IOException {
            RarConfig config = KernelSettings.rar(recipe.model());
            Precision precision = KernelSettings.precision(recipe.train().precision());
            TokenBlock rows = tokens.read(block);
            try (TaskDevice own = TaskDevice.open(device, recipe.train().threads());
                    Lease<LoadedRar> lease = LoadedRar.lease(weights, storage, config, precision, own.device());
                    NDManager manager = own.newManager()) {
                RarModel model = lease.value().model();
                return new BlockLosses(
                        block,
                        new Losses(
                                sum(model, manager, rows, draws(config, 0), block),
                                permutes ? sum(model, manager, rows, draws(config, Long.MAX_VALUE), block) : 0));
            } catch (NativeMemoryException e) {
                throw e.lowering("train.micro_batch");
            }
        }

        /** Draws that permute every sample of steps before {@code annealed}, and drop no class. */
        private TrainingDraws draws(RarConfig config, long annealed) {
            int[] scanOrder = KernelSettings.scanOrder(recipe.train().scanOrder())
                    .orElseThrow()
                    .of(config.tokens());
            return new TrainingDraws(
                    recipe.seed(), config.space(), scanOrder, new PermutationSchedule(annealed, annealed), 0);
        }

        /** The sum of the rows' losses. Random orders depend on block and row. */
        private double sum(RarModel model, NDManager manager, TokenBlock block, TrainingDraws draws, long number) {
            int batch = recipe.train().samplesPerPass();
            double sum = 0;
            for (int first = 0; first < block.rows(); first += batch) {
                UnitTasks.endIfKilled();
                int rows = Math.min(batch, block.rows() - first);
                long[][] tokens = new long[rows][model.config().tokens()];
                int[] labels = new int[rows];
                for (int row = 0; row < rows; row++) {
                    labels[row] = block.classIds()[first + row];
                    block.copyTokens(first + row, tokens[row], 0);
                }
                try (TensorScope s = TensorScope.inference(manager)) {
                    RarBatch drawn = draws.batch(number, first, tokens, labels);
                    sum += rows
                            * (double) model.loss(s, drawn, KeyedDropout.NONE).getFloat();
                }
            }
            return sum;
        }
    }
}
