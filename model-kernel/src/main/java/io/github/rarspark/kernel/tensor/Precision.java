package io.github.rarspark.kernel.tensor;

import ai.djl.Device;
import ai.djl.ndarray.types.DataType;
import java.util.Locale;

/** The type that a model's matrix products and convolutions are computed in. */
public enum Precision {
    /** float32, like everything else. */
    FP32,
    /** bfloat16, by autocast. */
    BF16;

    /** Makes the calling thread compute in this precision on {@code device} until the result is closed. */
    public Autocast autocast(Device device) {
        return this == BF16 ? Autocast.bfloat16(device) : Autocast.none();
    }

    /** The type itself. */
    public DataType type() {
        return this == BF16 ? DataType.BFLOAT16 : DataType.FLOAT32;
    }

    /** The precision's name in results and on the command line, such as {@code bf16}. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
