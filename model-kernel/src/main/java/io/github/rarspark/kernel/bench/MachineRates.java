package io.github.rarspark.kernel.bench;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.github.rarspark.kernel.tensor.Precision;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.tensor.Torch;

/**
 * What this machine reaches with the threads of a benchmark, measured within a second or two.
 *
 * @param memoryBytesPerSecond the rate of reading memory: the sum of a tensor much larger than the caches
 * @param gemmFlopPerSecond the rate of matrix products of a favourable size, through the linear layers that sampling uses;
 *     a multiplication and an addition count as two
 */
public record MachineRates(double memoryBytesPerSecond, double gemmFlopPerSecond) {
    /** Larger than any cache. */
    private static final long BUFFER_BYTES = 1L << 31;

    private static final long MEASURED_NANOS = 400_000_000;
    private static final int LEAST_RUNS = 3;

    /**
     * Measures a device.
     *
     * @param precision of the matrix products
     * @param threads that libtorch uses
     */
    static MachineRates measure(Device device, Precision precision, int threads) {
        try (NDManager manager = NDManager.newBaseManager(device)) {
            return new MachineRates(memory(manager), gemm(manager, precision, threads));
        }
    }

    private static double memory(NDManager manager) {
        try (TensorScope s = TensorScope.inference(manager)) {
            NDArray values = ones(s, BUFFER_BYTES / Float.BYTES);
            return BUFFER_BYTES / fastest(s, inner -> inner.sum(values, 0));
        }
    }

    private static double gemm(NDManager manager, Precision precision, int threads) {
        boolean gpu = manager.getDevice().isGpu();
        long width = gpu ? 8192 : 1024;
        long rows = gpu ? 8192 : 256L * threads;
        try (TensorScope s = TensorScope.inference(manager)) {
            NDArray x = s.to(ones(s, rows, width), precision.type());
            NDArray plain = s.to(ones(s, width, width), precision.type());
            NDArray weight = gpu ? plain : s.packLinear(plain);
            return 2.0 * rows * width * width / fastest(s, inner -> inner.linear(x, weight, null));
        }
    }

    /** Float32 ones: unlike zeros, which may all be one page, they are in memory. */
    private static NDArray ones(TensorScope s, long... shape) {
        return s.manager().ones(new Shape(shape));
    }

    private interface Operation {
        NDArray run(TensorScope s);
    }

    /** The seconds of the fastest run. */
    private static double fastest(TensorScope outer, Operation operation) {
        Torch.await(outer.device());
        long begin = System.nanoTime();
        long best = Long.MAX_VALUE;
        for (int run = 0; run < LEAST_RUNS || System.nanoTime() - begin < MEASURED_NANOS; run++) {
            long start = System.nanoTime();
            try (TensorScope s = outer.open()) {
                operation.run(s);
                Torch.await(s.device());
            }
            best = Math.min(best, System.nanoTime() - start);
        }
        return best / 1e9;
    }
}
