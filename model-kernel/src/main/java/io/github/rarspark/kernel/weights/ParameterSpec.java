package io.github.rarspark.kernel.weights;

import ai.djl.ndarray.types.Shape;

/**
 * A parameter that a model has.
 *
 * @param name its key in weight files
 * @param shape its sizes, row-major
 * @param init how its first values are drawn
 */
public record ParameterSpec(String name, Shape shape, Init init) {
    /** A parameter of the given sizes. */
    public ParameterSpec(String name, long[] shape, Init init) {
        this(name, new Shape(shape), init);
    }
}
