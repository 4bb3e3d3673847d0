package io.github.rarspark.kernel.tensor;

import ai.djl.ndarray.NDArray;

/**
 * A layer normalization, for operations that normalize and do more.
 *
 * @param weight of the width that is normalized; null for none
 * @param bias of the same width; null for none
 * @param eps added to the variance
 */
public record Norm(NDArray weight, NDArray bias, double eps) {}
