package io.github.rarspark.train;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import io.github.rarspark.common.KernelSettings;
import io.github.rarspark.common.job.Job;
import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.job.Outcome;
import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.run.Plan;
import io.github.rarspark.common.spark.Progress;
import io.github.rarspark.common.spark.SparkSessions;
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
import io.github.rarspark.kernel.rar.RarConfig;
import io.github.rarspark.kernel.rar.RarModel;
import io.github.rarspark.kernel.rar.TrainingDraws;
import io.github.rarspark.kernel.tensor.Precision;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.tensor.Torch;
import io.github.rarspark.kernel.weights.TensorFile;
import java.io.IOException;
import java.io.Serializable;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * {@code train --evaluate}: the mean loss of given weights over all tokens, in the target order, with every class known
 * and without dropout, in the recipe's precision. One task for each block of tokens. Driver only.
 */
final class EvaluateJob implements Job<Double> {
    private static final Device DEVICE = Device.cpu();

    private final JobContext context;
    private final TokenSource tokens;
    private final WeightFile weights;

    private EvaluateJob(JobContext context, TokenSource tokens, WeightFile weights) {
        this.context = context;
        this.tokens = tokens;
        this.weights = weights;
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
        return new EvaluateJob(context, tokens, weights);
    }

    @Override
    public String output() {
        return context.recipe().train().output();
    }

    @Override
    public Plan plan() {
        return Plan.of(
                "train --evaluate",
                context.recipe().resultSettings("model", "train"),
                Map.of("tokens", tokens.sha256(), "init", weights.sha256()),
                Map.of());
    }

    /** The loss of a block, to be weighted by its rows. */
    private record BlockLoss(int block, double sum) implements Serializable {}

    /** The mean loss. It has no parts that are kept, so another attempt measures all of it again. */
    @Override
    public Double runMissing(OutputClaim claim) {
        SparkSessions.describe(context.session(), "evaluate " + tokens.blocks() + " blocks of tokens");
        // Summed in the order of the blocks, whoever is done first.
        double[] sums = new double[tokens.blocks()];
        BlockTask task = new BlockTask(context.recipe(), context.storage(), weights, tokens);
        try (Progress progress = context.progress("evaluate", "blocks", tokens.blocks())) {
            UnitTasks.run(
                    context.session(),
                    IntStream.range(0, tokens.blocks()).boxed().toList(),
                    task,
                    done -> {
                        sums[done.block()] = done.sum();
                        progress.step(1);
                    });
        }
        return Arrays.stream(sums).sum() / tokens.rows();
    }

    @Override
    public Outcome commit(OutputClaim claim, Double loss) {
        return Outcome.of(Map.of("rows", tokens.rows()), Map.of("loss", loss), tokens.warnings());
    }

    /** Measures a block, on an executor. */
    private record BlockTask(Recipe recipe, Storage storage, WeightFile weights, TokenSource tokens)
            implements UnitTasks.Work<Integer, BlockLoss> {
        @Override
        public BlockLoss run(Integer block) throws IOException {
            return new BlockLoss(block, sumOfLosses(recipe, storage, weights, tokens.read(block)));
        }
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
        Precision precision = KernelSettings.precision(recipe.train().precision());
        double sum = 0;
        try (Lease<LoadedRar> lease = LoadedRar.lease(weights, storage, config, precision, DEVICE);
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
        } catch (NativeMemoryException e) {
            throw e.lowering("train.micro_batch");
        }
        return sum;
    }
}
