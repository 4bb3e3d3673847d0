package io.github.rarspark.kernel.golden;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import io.github.rarspark.kernel.tensor.Autocast;
import io.github.rarspark.kernel.tensor.Precision;
import io.github.rarspark.kernel.tensor.TensorScope;

/**
 * How golden cases are computed.
 *
 * @param manager tensors are made below it, on its device
 * @param precision of the models, each with its own tolerances; images, orders and metrics do not depend on it
 */
public record GoldenRun(NDManager manager, Precision precision) {
    /** In single precision, with tensors below {@code manager}. */
    public static GoldenRun float32(NDManager manager) {
        return new GoldenRun(manager, Precision.FP32);
    }

    /** The run's precision on the calling thread until it is closed. */
    Autocast autocast() {
        return precision.autocast(manager.getDevice());
    }

    /** The tolerance that applies. */
    double limit(double float32, double mixed) {
        return precision == Precision.BF16 ? mixed : float32;
    }

    /** The entries of a tensor of floats, whatever its precision. */
    static double[] doubles(TensorScope s, NDArray tensor) {
        return s.to(tensor, DataType.FLOAT64).toDoubleArray();
    }
}
