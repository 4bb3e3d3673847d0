package io.github.rarspark.conf;

/** The precision of the large matrix products; weights, gradients and optimizer state are always fp32. */
public enum Precision {
    /** 32-bit floats. */
    FP32,
    /** Autocast to bfloat16. */
    BF16
}
