package io.github.rarspark.kernel.bench;

import io.github.rarspark.kernel.tensor.Precision;

/**
 * What to measure.
 *
 * @param size a model by name ({@code rar-s} to {@code rar-xxl}, {@code f16}) or, for RAR,
 *     {@code HIDDENxLAYERSxHEADSxMLPxTOKENSxCODES} with 10 classes
 * @param batch images computed together
 * @param precision of the model
 * @param threads of libtorch
 * @param repeat timed runs
 * @param warmup runs before them
 * @param steps of sampling that a run makes; 0 for all of them
 */
public record BenchRequest(
        String size, int batch, Precision precision, int threads, int repeat, int warmup, int steps) {}
