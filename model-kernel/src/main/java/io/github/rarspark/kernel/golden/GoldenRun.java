package io.github.rarspark.kernel.golden;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import io.github.rarspark.kernel.tensor.Autocast;
import io.github.rarspark.kernel.tensor.TensorScope;

/**
 * How golden cases are computed.
 *
 * @param manager tensors are made below it, on its device
 * @param bfloat16 whether models run in mixed precision, with tolerances of their own; images, orders and metrics have
 *     no such mode and are computed as always
 */
public record GoldenRun(NDManager manager, boolean bfloat16) {
    /** In single precision, with tensors below {@code manager}. */
    public static GoldenRun float32(NDManager manager) {
        return new GoldenRun(manager, false);
    }

    /** Mixed precision on the calling thread until it is closed; null, which {@code try} accepts, in single precision. */
    Autocast autocast() {
        return bfloat16 ? Autocast.bfloat16(manager.getDevice()) : null;
    }

    /** The tolerance that applies. */
    double limit(double float32, double mixed) {
        return bfloat16 ? mixed : float32;
    }

    /** The entries of a tensor of floats, whatever its precision. */
    static double[] doubles(TensorScope s, NDArray tensor) {
        return s.to(tensor, DataType.FLOAT64).toDoubleArray();
    }
}
