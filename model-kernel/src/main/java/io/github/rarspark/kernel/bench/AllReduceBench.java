package io.github.rarspark.kernel.bench;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.rarspark.kernel.dist.GradientReducer;
import io.github.rarspark.kernel.dist.ProcessGroup;
import io.github.rarspark.kernel.error.NumericException;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.tensor.Torch;
import io.github.rarspark.kernel.weights.NamedTensors;
import io.github.rarspark.kernel.weights.ParameterTable;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/** Sums over ranks: of single tensors, and of a model's gradient through the gradient reducer, as in training. */
public final class AllReduceBench {
    private static final long SMALLEST = 1024;
    private static final int FACTOR = 4;

    private AllReduceBench() {}

    /**
     * All-reduces of 4 KiB, 16 KiB and so on, up to the gradient of the model.
     *
     * @throws NumericException if a sum is wrong
     */
    public static AllReduceReport allReduce(BenchRequest request) {
        return new AllReduceReport(
                "allreduce",
                request.size(),
                request.ranks().count(),
                request.ranks().processes(),
                request.deviceName(),
                request.threads(),
                request.repeat(),
                LocalRanks.run(request, new Sums(request)));
    }

    private record Sums(BenchRequest request) implements LocalRanks.Work<List<AllReduceReport.Sum>> {
        @Override
        public List<AllReduceReport.Sum> run(ProcessGroup group, NDManager manager) {
            ParameterTable table = BenchSizes.rar(request.size()).parameters();
            List<AllReduceReport.Sum> sums = new ArrayList<>();
            for (long count = SMALLEST; count < table.elements(); count *= FACTOR) {
                sums.add(tensor(group, manager, count));
            }
            sums.add(tensor(group, manager, table.elements()));
            sums.add(gradient(group, manager, table));
            return sums;
        }

        private AllReduceReport.Sum tensor(ProcessGroup group, NDManager manager, long count) {
            try (TensorScope s = TensorScope.inference(manager)) {
                NDArray values = s.zeros(count);
                Timer timer = new Timer(group, manager.getDevice());
                for (int run = 0; run < request.warmup() + request.repeat(); run++) {
                    timer.time(run >= request.warmup(), () -> group.allReduceSum(values));
                }
                NDArray own = s.affine(values, 0, group.rank() + 1);
                group.allReduceSum(own);
                requireEverywhere(s, own, group.worldSize() * (group.worldSize() + 1) / 2.0);
                return AllReduceReport.Sum.of(count, 0, timer.mean(s), group.worldSize());
            }
        }

        /** The backward pass of a sum: it fills the buckets, and costs little else. */
        private AllReduceReport.Sum gradient(ProcessGroup group, NDManager manager, ParameterTable table) {
            long bucketBytes = request.ranks().bucketBytes();
            try (NamedTensors weights = NamedTensors.create(
                    table,
                    manager,
                    spec -> new float[Math.toIntExact(spec.shape().size())])) {
                Collection<NDArray> parameters = weights.asMap().values();
                TensorScope.requireGradients(parameters);
                Timer timer = new Timer(group, manager.getDevice());
                try (GradientReducer reducer = new GradientReducer(group, parameters, bucketBytes);
                        TensorScope outer = TensorScope.inference(manager)) {
                    for (int run = 0; run < request.warmup() + request.repeat(); run++) {
                        TensorScope.dropGradients(parameters);
                        try (TensorScope s = TensorScope.training(manager)) {
                            NDArray[] totals = parameters.stream()
                                    .map(parameter -> s.sum(s.reshape(parameter, 1, -1), 1))
                                    .toArray(NDArray[]::new);
                            NDArray loss = s.affine(s.sum(s.concatenate(0, totals), 0), group.rank() + 1, 0);
                            timer.time(run >= request.warmup(), () -> reducer.average(() -> s.backward(loss)));
                        }
                    }
                    for (NDArray parameter : parameters) {
                        requireEverywhere(outer, outer.gradient(parameter), (group.worldSize() + 1) / 2.0);
                    }
                    return AllReduceReport.Sum.of(table.elements(), bucketBytes, timer.mean(outer), group.worldSize());
                }
            }
        }

        /** Checks the first and the last element. */
        private static void requireEverywhere(TensorScope s, NDArray values, double expected) {
            NDArray flat = s.reshape(values, -1);
            for (long at : new long[] {0, flat.size() - 1}) {
                float found = s.narrow(flat, 0, at, 1).toFloatArray()[0];
                if (found != expected) {
                    throw new NumericException("The all-reduce of " + flat.size() + " elements gave " + found
                            + " for element " + at + ", not " + expected);
                }
            }
        }
    }

    /** The mean time over runs and ranks, of which each run begins after a barrier. */
    private static final class Timer {
        private final ProcessGroup group;
        private final Device device;
        private long nanos;
        private int runs;

        Timer(ProcessGroup group, Device device) {
            this.group = group;
            this.device = device;
        }

        void time(boolean counts, Runnable run) {
            Torch.await(device);
            group.barrier();
            long start = System.nanoTime();
            run.run();
            Torch.await(device);
            if (counts) {
                nanos += System.nanoTime() - start;
                runs++;
            }
        }

        /** In seconds; all ranks take part. */
        double mean(TensorScope s) {
            NDArray sum = s.doubles(new double[] {nanos / 1e9 / runs}, 1);
            group.allReduceSum(sum);
            return sum.getDouble(0) / group.worldSize();
        }
    }
}
