package io.github.rarspark.kernel.dist;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.rarspark.kernel.golden.FillFormula;
import io.github.rarspark.kernel.optim.AdamW;
import io.github.rarspark.kernel.optim.LearningRate;
import io.github.rarspark.kernel.optim.OptimizerStep;
import io.github.rarspark.kernel.rar.KeyedDropout;
import io.github.rarspark.kernel.rar.RarBatch;
import io.github.rarspark.kernel.rar.RarConfig;
import io.github.rarspark.kernel.rar.RarModel;
import io.github.rarspark.kernel.rar.TrainingLoss;
import io.github.rarspark.kernel.tensor.Handles;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.tensor.Torch;
import io.github.rarspark.kernel.weights.NamedTensors;
import io.github.rarspark.kernel.weights.TensorFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The golden training steps (batch 4), split over ranks that are threads of this process. */
class TwoRankTrainingTest {
    private static final Path CASE = Path.of("src/test/resources/golden/rar-small");
    private static final RarConfig CONFIG = RarConfig.of(32, 2, 4, 128, 16, 64, 10);
    private static final Duration TIMEOUT = Duration.ofSeconds(60);

    /** The six steps' losses of one rank, and its final weights. */
    private record Outcome(double[] losses, List<float[]> weights) {}

    /** With one pass or more for each rank, and with or without activation checkpointing. */
    @ParameterizedTest
    @CsvSource({"2, 1, false", "4, 1, false", "2, 2, false", "2, 1, true", "4, 1, true", "2, 2, true"})
    void splitTrainingGivesTheGoldenLossesAndWeights(int ranks, int passes, boolean checkpointing) throws Exception {
        requireGolden(ranks, passes, checkpointing, rank -> Device.cpu());
    }

    /** Each rank on a GPU of its own. */
    @ParameterizedTest
    @Tag("gpu")
    @CsvSource({"1, false", "2, false", "1, true"})
    void trainingOnTwoGpusGivesTheGoldenLossesAndWeights(int passes, boolean checkpointing) throws Exception {
        requireGolden(2, passes, checkpointing, Device::gpu);
    }

    private static void requireGolden(int ranks, int passes, boolean checkpointing, IntFunction<Device> devices)
            throws Exception {
        TensorFile expected = TensorFile.open(CASE.resolve("rar.safetensors"));
        List<Outcome> outcomes = train(ranks, passes, checkpointing, devices, expected);
        double[] losses = expected.doubles("train/losses");
        for (int step = 0; step < losses.length; step++) {
            int at = step;
            double mean =
                    outcomes.stream().mapToDouble(o -> o.losses()[at]).average().orElseThrow();
            assertThat(mean).as("loss of step " + step).isCloseTo(losses[step], within(2e-6 * losses[step]));
        }
        List<String> names = List.copyOf(CONFIG.parameters().byName().keySet());
        for (int i = 0; i < names.size(); i++) {
            if (!names.get(i).endsWith("k_norm.bias")) {
                assertThat(outcomes.get(0).weights().get(i))
                        .as(names.get(i))
                        .containsExactly(expected.floats("train/final/" + names.get(i)), within(2e-5f));
            }
            assertThat(outcomes.get(1).weights().get(i))
                    .isEqualTo(outcomes.get(0).weights().get(i));
        }
        assertThat(Handles.live()).isZero();
    }

    @Test
    void theRanksSeeDifferentSamples() throws Exception {
        List<Outcome> outcomes =
                train(2, 1, false, rank -> Device.cpu(), TensorFile.open(CASE.resolve("rar.safetensors")));
        assertThat(outcomes.get(0).losses()).isNotEqualTo(outcomes.get(1).losses());
    }

    private static List<Outcome> train(
            int ranks, int passes, boolean checkpointing, IntFunction<Device> devices, TensorFile expected)
            throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(ranks);
        try {
            CompletableFuture<Integer> port = new CompletableFuture<>();
            List<Future<Outcome>> running = new ArrayList<>();
            for (int rank = 0; rank < ranks; rank++) {
                int number = rank;
                Device device = devices.apply(rank);
                running.add(pool.submit(() -> {
                    try (RendezvousStore store = number == 0
                                    ? RendezvousStore.serve("127.0.0.1", TIMEOUT)
                                    : RendezvousStore.connect("127.0.0.1", port.get(30, TimeUnit.SECONDS), TIMEOUT);
                            ProcessGroup group = join(store, number, ranks, device, port)) {
                        return steps(group, device, passes, checkpointing, expected);
                    }
                }));
            }
            List<Outcome> outcomes = new ArrayList<>();
            for (Future<Outcome> rank : running) {
                outcomes.add(rank.get(120, TimeUnit.SECONDS));
            }
            return outcomes;
        } finally {
            pool.shutdownNow();
        }
    }

    private static ProcessGroup join(
            RendezvousStore store, int rank, int ranks, Device device, CompletableFuture<Integer> port) {
        if (rank == 0) {
            port.complete(store.port());
        }
        return ProcessGroup.join(store, rank, ranks, "127.0.0.1", TIMEOUT, device);
    }

    private static Outcome steps(
            ProcessGroup group, Device device, int passes, boolean checkpointing, TensorFile expected)
            throws Exception {
        Torch.setIntraOpThreads(1);
        FillFormula formula = FillFormula.parse(Files.readString(CASE.resolve("rar.json")), "rar.json");
        long[] ids = expected.longs("ids");
        long[] orders = expected.longs("train/orders");
        long[] conditions = expected.longs("train/conditions");
        int tokens = CONFIG.tokens();
        int batch = ids.length / tokens;
        int rows = batch / group.worldSize() / passes;
        double[] losses = new double[expected.doubles("train/losses").length];
        LearningRate rate = new LearningRate(0.004, 0.0001, 3, 10);
        try (NDManager manager = NDManager.newBaseManager(device);
                NamedTensors weights = formula.tensors(CONFIG.parameters(), manager);
                AdamW optimizer = new AdamW(
                        manager, weights.asMap(), CONFIG::decays, new AdamW.Settings(0.9, 0.96, 1e-8, 0.03, 1))) {
            TensorScope.requireGradients(weights.asMap().values());
            RarModel model = new RarModel(CONFIG, weights);
            try (GradientReducer reducer =
                    new GradientReducer(group, weights.asMap().values(), 4096)) {
                OptimizerStep optimizerStep = new OptimizerStep(optimizer, rate);
                for (int step = 0; step < losses.length; step++) {
                    for (int pass = 0; pass < passes; pass++) {
                        int first = (group.rank() * passes + pass) * rows;
                        long[][] taken = new long[rows][];
                        int[][] order = new int[rows][];
                        for (int row = 0; row < rows; row++) {
                            taken[row] = slice(ids, first + row, tokens);
                            order[row] = Arrays.stream(slice(orders, step * batch + first + row, tokens))
                                    .mapToInt(Math::toIntExact)
                                    .toArray();
                        }
                        int at = step * batch + first;
                        RarBatch part = RarBatch.ordered(taken, order, Arrays.copyOfRange(conditions, at, at + rows));
                        try (TensorScope s = TensorScope.training(manager)) {
                            TrainingLoss loss = model.trainingLoss(s, part, KeyedDropout.NONE, checkpointing);
                            NDArray share = s.affine(loss.scored().loss(), 1.0 / passes, 0);
                            Runnable backward = () -> loss.backward(share);
                            if (pass < passes - 1) {
                                backward.run();
                            } else {
                                reducer.average(backward);
                            }
                            losses[step] += share.getFloat();
                        }
                    }
                    optimizerStep.run();
                }
            }
            List<float[]> last =
                    weights.asMap().values().stream().map(NDArray::toFloatArray).toList();
            return new Outcome(losses, last);
        }
    }

    private static long[] slice(long[] flat, int row, int length) {
        return Arrays.copyOfRange(flat, row * length, (row + 1) * length);
    }
}
