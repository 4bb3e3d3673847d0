package io.github.rarspark.kernel.bench;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.rarspark.kernel.dist.GradientReducer;
import io.github.rarspark.kernel.dist.ProcessGroup;
import io.github.rarspark.kernel.optim.AdamW;
import io.github.rarspark.kernel.optim.LearningRate;
import io.github.rarspark.kernel.optim.OptimizerStep;
import io.github.rarspark.kernel.optim.StepClock;
import io.github.rarspark.kernel.optim.StepClock.Phase;
import io.github.rarspark.kernel.random.Purpose;
import io.github.rarspark.kernel.random.RandomStream;
import io.github.rarspark.kernel.rar.KeyedDropout;
import io.github.rarspark.kernel.rar.PermutationSchedule;
import io.github.rarspark.kernel.rar.RarBatch;
import io.github.rarspark.kernel.rar.RarConfig;
import io.github.rarspark.kernel.rar.RarCost;
import io.github.rarspark.kernel.rar.RarModel;
import io.github.rarspark.kernel.rar.TrainingDraws;
import io.github.rarspark.kernel.rar.TrainingLoss;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.weights.NamedTensors;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Training steps of a RAR model with initial weights: drawing orders and classes, forward, backward with the all-reduce
 * of the gradients, clipping, AdamW. Every sample is permuted, a tenth of the classes are dropped, all four dropouts are
 * on.
 */
public final class TrainBench {
    private static final double DROPOUT = 0.1;

    private TrainBench() {}

    /**
     * Full updates by all ranks, which share the batch; with several ranks alternately with updates by one rank.
     *
     * @throws IllegalArgumentException if the batch cannot be shared evenly
     */
    public static TrainBenchReport train(BenchRequest request) {
        if (request.batch() % request.ranks().count() != 0) {
            throw new IllegalArgumentException("Cannot use --batch " + request.batch() + " with --ranks "
                    + request.ranks().count() + ": every rank takes the same share; give a multiple");
        }
        BenchSizes.rar(request.size());
        return LocalRanks.run(request, new Updates(request));
    }

    private record Updates(BenchRequest request) implements LocalRanks.Work<TrainBenchReport> {
        @Override
        public TrainBenchReport run(ProcessGroup group, NDManager manager) {
            if (group.worldSize() > 1 && group.rank() == 0) {
                return LocalRanks.alone(manager, (one, parent) -> {
                    try (Replica single = new Replica(request, one, parent)) {
                        return measure(group, manager, single);
                    }
                });
            }
            return measure(group, manager, null);
        }

        /** @param single a training by one rank only, null on other ranks and if there is only one */
        private TrainBenchReport measure(ProcessGroup group, NDManager manager, Replica single) {
            try (Replica shared = new Replica(request, group, manager)) {
                for (int run = 0; run < request.warmup() + request.repeat(); run++) {
                    if (single != null) {
                        single.run(run);
                    }
                    group.barrier();
                    shared.run(run);
                }
                BenchResult speed = BenchResult.of("train", request, shared.seconds, shared.flops(), 1, 1);
                return new TrainBenchReport(
                        speed,
                        group.worldSize(),
                        request.ranks().processes(),
                        request.ranks().bucketBytes(),
                        request.activationCheckpointing(),
                        ResidentMemory.peakBytes(),
                        shared.phases(),
                        shared.processorSeconds(),
                        single == null ? null : oneRank(single, speed));
            }
        }

        private TrainBenchReport.OneRank oneRank(Replica single, BenchResult all) {
            BenchResult speed = BenchResult.of("train", request, single.seconds, single.flops(), 1, 1);
            return new TrainBenchReport.OneRank(
                    speed.imagesPerSecond(),
                    speed.runs(),
                    single.phases(),
                    single.processorSeconds(),
                    all.imagesPerSecond() / speed.imagesPerSecond());
        }
    }

    /** One rank's copy of the model and its share of the batch. */
    private static final class Replica implements AutoCloseable {
        private final BenchRequest request;
        private final ProcessGroup group;
        private final NDManager manager;
        private final RarConfig config;
        private final NamedTensors weights;
        private final OptimizerStep optimizerStep;
        private final GradientReducer reducer;
        private final RarModel model;
        private final TrainingDraws draws;
        private final int rows;
        private final long[][] tokens;
        private final int[] labels;
        private final StepClock clock;
        private final ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        private final double[] seconds;
        private long processorNanos;

        Replica(BenchRequest request, ProcessGroup group, NDManager manager) {
            this.request = request;
            this.group = group;
            this.manager = manager;
            this.clock = StepClock.ofThread(manager.getDevice());
            this.config = BenchSizes.rar(request.size());
            this.weights = NamedTensors.initial(config.parameters(), 0, manager);
            TensorScope.requireGradients(weights.asMap().values());
            this.optimizerStep = new OptimizerStep(
                    new AdamW(manager, weights.asMap(), config::decays, new AdamW.Settings(0.9, 0.96, 1e-8, 0.03, 1)),
                    new LearningRate(4e-4, 1e-5, 10, 1000));
            this.reducer = new GradientReducer(
                    group, weights.asMap().values(), request.ranks().bucketBytes());
            this.model = new RarModel(config, weights, request.precision());
            this.draws = new TrainingDraws(
                    0,
                    config.space(),
                    IntStream.range(0, config.tokens()).toArray(),
                    new PermutationSchedule(Long.MAX_VALUE, Long.MAX_VALUE),
                    DROPOUT);
            this.rows = request.batch() / group.worldSize();
            this.tokens = new long[rows][config.tokens()];
            this.labels = new int[rows];
            this.seconds = new double[request.repeat()];
            for (int row = 0; row < rows; row++) {
                RandomStream random = RandomStream.of(0, Purpose.SPLIT, firstRow() + row);
                labels[row] = random.nextInt(config.classes());
                Arrays.setAll(tokens[row], t -> random.nextInt(config.codes()));
            }
        }

        private int firstRow() {
            return group.rank() * rows;
        }

        /** Makes update {@code run} and, after those that warm up, notes its seconds. */
        void run(int run) {
            if (run == request.warmup()) {
                clock.take();
            }
            long start = System.nanoTime();
            long onCoreBefore = threads.getCurrentThreadCpuTime();
            update(run);
            if (run >= request.warmup()) {
                seconds[run - request.warmup()] = (System.nanoTime() - start) / 1e9;
                processorNanos += threads.getCurrentThreadCpuTime() - onCoreBefore;
            }
        }

        private void update(int step) {
            clock.begin();
            RarBatch batch = draws.batch(step, firstRow(), tokens, labels);
            KeyedDropout dropout = KeyedDropout.of(DROPOUT, 0, step, firstRow(), rows);
            clock.end(Phase.DATA);
            try (TensorScope s = TensorScope.training(manager)) {
                TrainingLoss loss = model.trainingLoss(s, batch, dropout, request.activationCheckpointing());
                clock.end(Phase.FORWARD);
                clock.endReduced(
                        () -> reducer.average(() -> loss.backward(loss.scored().loss())));
            }
            clock.end(Phase.BACKWARD);
            optimizerStep.run();
            clock.end(Phase.OPTIMIZER);
        }

        double processorSeconds() {
            return processorNanos / 1e9 / request.repeat();
        }

        /** The phases of a timed update, the mean over runs and ranks; all ranks take part. */
        List<TrainBenchReport.Phase> phases() {
            double[] own = Arrays.stream(clock.take())
                    .map(total -> total / request.repeat() / group.worldSize())
                    .toArray();
            try (TensorScope s = TensorScope.inference(manager)) {
                NDArray mean = s.doubles(own, own.length);
                group.allReduceSum(mean);
                return TrainBenchReport.Phase.of(mean.toDoubleArray());
            }
        }

        /** Floating-point operations of the products in an update by all ranks, without those of recomputed blocks. */
        double flops() {
            // About as many classes as rows, and no class.
            int conditions = Math.min(rows, config.classes()) + 1;
            double forward = new RarCost(config).forwardFlop(rows, conditions, config.positions() - 1);
            return 3 * forward * group.worldSize();
        }

        @Override
        public void close() {
            reducer.close();
            optimizerStep.optimizer().close();
            weights.close();
        }
    }
}
