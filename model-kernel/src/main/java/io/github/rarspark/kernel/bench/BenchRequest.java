package io.github.rarspark.kernel.bench;

import ai.djl.Device;
import io.github.rarspark.kernel.tensor.Precision;
import java.io.Serializable;

/**
 * What to measure.
 *
 * @param size a model by name ({@code rar-s} to {@code rar-xxl}, {@code f16}) or, for RAR, {@code
 *     HIDDENxLAYERSxHEADSxMLPxTOKENSxCODES} with 10 classes
 * @param batch images per batch; of training, of all ranks together
 * @param precision of the model
 * @param gpu the index of the GPU that computes, -1 for the CPU; of several ranks, the first one's, and the others take the
 *     next ones
 * @param threads libtorch threads per operation, of each rank
 * @param repeat number of timed runs
 * @param warmup number of untimed runs before them
 * @param steps sampling steps per run; 0 for all
 * @param activationCheckpointing whether training computes the blocks anew in the backward pass
 * @param ranks who computes
 */
public record BenchRequest(
        String size,
        int batch,
        Precision precision,
        int gpu,
        int threads,
        int repeat,
        int warmup,
        int steps,
        boolean activationCheckpointing,
        Ranks ranks)
        implements Serializable {

    /** The device of a rank. */
    Device device(int rank) {
        return gpu < 0 ? Device.cpu() : Device.gpu(gpu + rank);
    }

    /** The device of rank 0, which is the only one unless the benchmark takes several. */
    Device device() {
        return device(0);
    }

    /** The device as {@code --device} has it: {@code cpu} or {@code gpu:N}. */
    String deviceName() {
        return gpu < 0 ? "cpu" : "gpu:" + gpu;
    }

    /**
     * The ranks of a benchmark that takes several.
     *
     * @param count their number
     * @param processes whether each rank has a process of its own, like an executor with one slot; else they are threads
     *     of this process, as in {@code local[N]}
     * @param bucketBytes the maximum size of a gradient bucket, in bytes
     */
    public record Ranks(int count, boolean processes, long bucketBytes) implements Serializable {
        String describe(int threads) {
            String place = processes ? "processes" : "threads of one process";
            return count == 1
                    ? "1 rank of " + threads + " threads"
                    : count + " ranks (" + place + ") of " + threads + " threads";
        }
    }
}
