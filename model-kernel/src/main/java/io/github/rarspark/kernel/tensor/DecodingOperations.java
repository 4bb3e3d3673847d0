package io.github.rarspark.kernel.tensor;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;

/**
 * Operations of a decoding step, which computes one position of each row. None is differentiable. A row of a result is the
 * same, bit for bit, whatever the other rows and, on a CPU, the number of threads.
 *
 * <p>Shapes: R rows, U conditions, P positions, D width, M = chunks of D in a row of modulations, N heads, L capacity of a
 * cache, H head width.
 */
abstract sealed class DecodingOperations extends LayerOperations permits TensorScope {
    /**
     * Layer normalization of x [R, 1, D] float32, times 1 + scale, plus shift.
     *
     * @param type of the result
     * @param shift the chunk of M that is added
     * @param scale the chunk of M to multiply with
     */
    public NDArray modulatedNorm(NDArray x, Norm norm, DataType type, ModulationRows modulation, int shift, int scale) {
        return own(modulatedNorm(
                at(x),
                Handles.ofNullable(norm.weight()),
                Handles.ofNullable(norm.bias()),
                norm.eps(),
                scalarType(type),
                Handles.ofNullable(modulation.table_UPM()),
                Handles.ofNullable(modulation.conditionOfRow_R()),
                modulation.position(),
                shift,
                scale));
    }

    private static native long modulatedNorm(
            long x,
            long weight,
            long bias,
            double eps,
            int type,
            long table,
            long conditionOfRow,
            long position,
            long shift,
            long scale);

    /**
     * {@link #silu} of the sums of all rows of a [U, D] and b [P, D], both float32: [U, P, D].
     *
     * @param type of the result
     */
    public NDArray activatedSums(NDArray a, NDArray b, DataType type) {
        return own(activatedSums(at(a), at(b), scalarType(type)));
    }

    private static native long activatedSums(long a, long b, int type);

    /**
     * x + gate * branch, [R, 1, D] each; x is float32.
     *
     * @param gate the chunk of M to multiply the branch with
     */
    public NDArray modulatedResidual(NDArray x, NDArray branch, ModulationRows modulation, int gate) {
        return own(modulatedResidual(
                at(x),
                at(branch),
                Handles.ofNullable(modulation.table_UPM()),
                Handles.ofNullable(modulation.conditionOfRow_R()),
                modulation.position(),
                gate));
    }

    private static native long modulatedResidual(
            long x, long branch, long table, long conditionOfRow, long position, long gate);

    /**
     * Appends the key, normalized, and the value of a position to a cache, and attends with the query, normalized, to all
     * its positions.
     *
     * @param qkv [R, 1, 3 N H]: queries, keys, values of all heads
     * @param qNorm of width H
     * @param kNorm of width H, with the same eps
     * @param keys [R, N, L, H], of qkv's type
     * @param values [R, N, L, H], of qkv's type
     * @param length how many positions the cache has
     * @return [R, 1, N H]
     */
    public NDArray attendCached(NDArray qkv, Norm qNorm, Norm kNorm, NDArray keys, NDArray values, int length) {
        return own(attendCached(
                at(qkv),
                at(qNorm.weight()),
                at(qNorm.bias()),
                at(kNorm.weight()),
                at(kNorm.bias()),
                qNorm.eps(),
                at(keys),
                at(values),
                length));
    }

    private static native long attendCached(
            long qkv,
            long qWeight,
            long qBias,
            long kWeight,
            long kBias,
            double eps,
            long keys,
            long values,
            long length);

    /**
     * The instruction set that these operations use on this machine's CPU: {@code avx512}, {@code avx2} or {@code
     * baseline}. The environment variable {@code ATEN_CPU_CAPABILITY} limits it, as it does libtorch's own operations.
     */
    public static String instructionSet() {
        NativeLibrary.load();
        return nativeInstructionSet();
    }

    private static native String nativeInstructionSet();
}
