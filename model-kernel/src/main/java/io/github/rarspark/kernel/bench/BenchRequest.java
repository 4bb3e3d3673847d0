package io.github.rarspark.kernel.bench;

import io.github.rarspark.kernel.tensor.Precision;

/**
 * What to measure.
 *
 * @param size a model by name ({@code rar-s} to {@code rar-xxl}, {@code f16}) or, for RAR, {@code
 *     HIDDENxLAYERSxHEADSxMLPxTOKENSxCODES} with 10 classes
 * @param batch images per batch
 * @param precision of the model
 * @param threads libtorch threads per operation
 * @param repeat number of timed runs
 * @param warmup number of untimed runs before them
 * @param steps sampling steps per run; 0 for all
 */
public record BenchRequest(
        String size, int batch, Precision precision, int threads, int repeat, int warmup, int steps) {}
