package io.github.rarspark.kernel.bench;

import ai.djl.ndarray.NDManager;
import io.github.rarspark.kernel.golden.FillFormula;
import io.github.rarspark.kernel.random.Purpose;
import io.github.rarspark.kernel.random.RandomStream;
import io.github.rarspark.kernel.rar.Guidance;
import io.github.rarspark.kernel.rar.RarBatch;
import io.github.rarspark.kernel.rar.RarConfig;
import io.github.rarspark.kernel.rar.RarCost;
import io.github.rarspark.kernel.rar.RarModel;
import io.github.rarspark.kernel.rar.RarSampler;
import io.github.rarspark.kernel.rar.RarSampler.Request;
import io.github.rarspark.kernel.rar.ScanOrder;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.tensor.Torch;
import io.github.rarspark.kernel.weights.NamedTensors;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.IntStream;

/** Sampling of a RAR model with initial weights, and forward passes with formula weights. */
public final class RarBench {
    private RarBench() {}

    /** Logits of whole sequences, each in its own random order, as in scoring. */
    public static BenchResult forward(BenchRequest request) {
        RarConfig config = BenchSizes.rar(request.size());
        Torch.setIntraOpThreads(request.threads());
        try (NDManager manager = NDManager.newBaseManager(request.device());
                NamedTensors weights =
                        FillFormula.of("bench", config.parameters()).tensors(config.parameters(), manager)) {
            RarModel model = new RarModel(config, weights, request.precision());
            RandomStream random = RandomStream.of(0, Purpose.SPLIT);
            long[][] tokens = new long[request.batch()][config.tokens()];
            int[][] orders = new int[request.batch()][];
            long[] conditions = new long[request.batch()];
            for (int b = 0; b < request.batch(); b++) {
                Arrays.setAll(tokens[b], t -> random.nextInt(config.codes()));
                orders[b] = random.nextPermutation(config.tokens());
                conditions[b] = config.space().classId(b % config.classes());
            }
            RarBatch batch = RarBatch.ordered(tokens, orders, conditions);
            double[] seconds = Timing.run(request, run -> {
                try (TensorScope s = TensorScope.inference(manager)) {
                    model.logits(s, batch);
                }
            });
            double flop = new RarCost(config)
                    .forwardFlop(request.batch(), distinctClasses(config, request.batch()), config.positions());
            return BenchResult.of("forward", request, seconds, flop, 1, 1);
        }
    }

    /**
     * Guided sampling of tokens (without decoding) of whole images, or of their first steps, with classes assigned
     * round-robin; beside it the rates of this machine.
     */
    public static SampleBenchReport sample(BenchRequest request) {
        RarConfig config = BenchSizes.rar(request.size());
        Torch.setIntraOpThreads(request.threads());
        MachineRates machine = MachineRates.measure(request.device(), request.precision(), request.threads());
        int steps = request.steps() == 0 ? config.tokens() : Math.min(request.steps(), config.tokens());
        try (NDManager manager = NDManager.newBaseManager(request.device());
                NamedTensors weights = NamedTensors.initial(config.parameters(), 0, manager);
                RarModel model = RarModel.forSampling(config, weights, request.precision())) {
            RarSampler sampler = new RarSampler(model, new Guidance(Guidance.Kind.POWER_COSINE, 16, 2.75), 1);
            Request[] requests = IntStream.range(0, request.batch())
                    .mapToObj(i -> new Request(i % config.classes(), i))
                    .toArray(Request[]::new);
            int[][] orders = RarSampler.orders(0, requests, config, Optional.of(ScanOrder.ROW_MAJOR));
            int[] labels = Arrays.stream(requests).mapToInt(Request::label).toArray();
            double[] seconds = Timing.run(request, run -> {
                try (NDManager numbers = manager.newSubManager()) {
                    sampler.run(manager, labels, orders, steps, sampler.drawing(numbers, run, requests));
                }
            });
            int classes = distinctClasses(config, request.batch());
            RarCost.Work work =
                    new RarCost(config).sampling(request.batch(), classes, true, steps, request.precision());
            BenchResult speed = BenchResult.of("sample", request, seconds, work.flop(), steps, config.tokens());
            return SampleBenchReport.of(speed, work, machine);
        }
    }

    /** The number of distinct classes of a batch to which classes are assigned round-robin. */
    private static int distinctClasses(RarConfig config, int batch) {
        return Math.min(batch, config.classes());
    }
}
