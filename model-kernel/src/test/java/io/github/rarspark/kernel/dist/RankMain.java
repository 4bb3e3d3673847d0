package io.github.rarspark.kernel.dist;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.github.rarspark.kernel.error.CommunicationException;
import io.github.rarspark.kernel.tensor.Handles;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.tensor.Torch;
import io.github.rarspark.kernel.testing.ProcessMemory;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Scanner;

/**
 * What a rank does in {@link ProcessGroupTest}: arguments are task, rank, world size, port, timeout in ms. Without a port,
 * ranks other than 0 read it from the standard input.
 */
final class RankMain {
    private RankMain() {}

    public static void main(String[] args) {
        int rank = Integer.parseInt(args[1]);
        int worldSize = Integer.parseInt(args[2]);
        Duration timeout = Duration.ofMillis(Long.parseLong(args[4]));
        Torch.setIntraOpThreads(1);
        try (NDManager manager = NDManager.newBaseManager();
                RendezvousStore store = rank == 0
                        ? RendezvousStore.serve("127.0.0.1", timeout)
                        : RendezvousStore.connect("127.0.0.1", port(args[3]), timeout)) {
            if (rank == 0) {
                System.out.println("port " + store.port());
            }
            try (ProcessGroup group =
                    ProcessGroup.join(store, rank, worldSize, "127.0.0.1", timeout, manager.getDevice())) {
                System.out.println("joined");
                run(args[0], group, manager);
            }
        }
        System.out.println("live " + Handles.live());
    }

    private static int port(String given) {
        if (!given.equals("0")) {
            return Integer.parseInt(given);
        }
        System.out.println("ready");
        return new Scanner(System.in, StandardCharsets.UTF_8).nextInt();
    }

    private static void run(String task, ProcessGroup group, NDManager manager) {
        switch (task) {
            case "sum" -> sum(group, manager);
            case "gradient" -> gradient(group, manager);
            case "passes" -> passes(group, manager);
            case "steps" -> steps(group, manager);
            case "wait" -> waitForPeer(group, manager);
            default -> throw new IllegalArgumentException(task);
        }
    }

    /** All-reduces (rank + 1) * [1, 2, 3], then receives rank 1's copy. */
    private static void sum(ProcessGroup group, NDManager manager) {
        NDArray values = manager.create(new float[] {1, 2, 3}).mul(group.rank() + 1);
        group.allReduceSum(values);
        System.out.println("sum " + Arrays.toString(values.toFloatArray()));
        NDArray own = manager.create(new float[] {group.rank()});
        group.broadcast(own, 1);
        System.out.println("broadcast " + Arrays.toString(own.toFloatArray()));
        group.barrier();
    }

    /** The gradient of a small network on this rank's half of 8 rows, averaged over the ranks. */
    private static void gradient(ProcessGroup group, NDManager manager) {
        Map<String, NDArray> weights = weights(manager);
        TensorScope.requireGradients(weights.values());
        int rows = 8 / group.worldSize();
        try (GradientReducer reducer = new GradientReducer(group, weights.values(), 64);
                TensorScope s = TensorScope.training(manager)) {
            // The second pass replaces the first one's gradients only if the reducer works step after step.
            for (int pass = 0; pass < 2; pass++) {
                TensorScope.dropGradients(weights.values());
                NDArray loss = loss(s, weights, group.rank() * rows, rows);
                reducer.average(() -> s.backward(loss));
            }
            weights.forEach((name, weight) -> System.out.println("gradient " + name + " "
                    + Arrays.toString(s.gradient(weight).toFloatArray())));
        }
    }

    /** The gradients of three equal passes, each averaged over the ranks. */
    private static void passes(ProcessGroup group, NDManager manager) {
        Map<String, NDArray> weights = weights(manager);
        TensorScope.requireGradients(weights.values());
        try (GradientReducer reducer = new GradientReducer(group, weights.values(), 64);
                TensorScope s = TensorScope.training(manager)) {
            for (int pass = 0; pass < 3; pass++) {
                TensorScope.dropGradients(weights.values());
                NDArray loss = loss(s, weights, 2 * group.rank(), 2);
                reducer.average(() -> s.backward(loss));
                System.out.println("pass " + pass + " "
                        + weights.values().stream()
                                .map(weight ->
                                        Arrays.toString(s.gradient(weight).toFloatArray()))
                                .toList());
            }
        }
    }

    static Map<String, NDArray> weights(NDManager manager) {
        Map<String, NDArray> weights = new LinkedHashMap<>();
        weights.put("a", manager.create(wave(12, 0.3), new Shape(4, 3)));
        weights.put("b", manager.create(wave(4, 0.7), new Shape(4)));
        weights.put("c", manager.create(wave(20, 1.1), new Shape(5, 4)));
        return weights;
    }

    static NDArray loss(TensorScope s, Map<String, NDArray> weights, int firstRow, int rows) {
        NDArray all = s.floats(wave(24, 0.9), 8, 3);
        NDArray hidden = s.silu(s.linear(s.narrow(all, 0, firstRow, rows), weights.get("a"), weights.get("b")));
        long[] targets = {0, 1, 2, 3, 4, 0, 1, 2};
        return s.crossEntropy(
                s.linear(hidden, weights.get("c"), null),
                s.longs(Arrays.copyOfRange(targets, firstRow, firstRow + rows), rows));
    }

    private static float[] wave(int count, double step) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) Math.sin(step * (i + 1));
        }
        return values;
    }

    /** All-reduces again and again, until the other rank is gone. */
    private static void waitForPeer(ProcessGroup group, NDManager manager) {
        NDArray value = manager.create(new float[] {1});
        try {
            while (true) {
                group.allReduceSum(value);
                value.set(new float[] {1});
            }
        } catch (CommunicationException e) {
            System.out.println("failed " + e.getMessage());
        }
    }

    /** By how much the process grows in 600 steps after the first 700, in which its code is compiled, with 1000 parameters of one element. */
    private static void steps(ProcessGroup group, NDManager manager) {
        List<NDArray> weights = new ArrayList<>();
        for (int i = 0; i < 1000; i++) {
            weights.add(manager.create(new float[] {i}));
        }
        NDArray[] parts = weights.toArray(NDArray[]::new);
        TensorScope.requireGradients(weights);
        try (GradientReducer reducer = new GradientReducer(group, weights, 4096)) {
            long before = 0;
            for (int step = 0; step < 1300; step++) {
                if (step == 700) {
                    before = residentBytes();
                }
                try (TensorScope s = TensorScope.training(manager)) {
                    NDArray sum = s.sum(s.concatenate(0, parts), 0);
                    reducer.average(() -> s.backward(sum));
                }
            }
            System.out.println("growth " + (residentBytes() - before));
        }
    }

    /** The anonymous memory of this process, after a collection of garbage. */
    private static long residentBytes() {
        System.gc();
        return ProcessMemory.bytes("RssAnon");
    }

    static List<String> names() {
        return List.of("a", "b", "c");
    }
}
