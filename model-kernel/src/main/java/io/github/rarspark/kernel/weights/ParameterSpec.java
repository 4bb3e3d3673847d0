package io.github.rarspark.kernel.weights;

import ai.djl.ndarray.types.Shape;

/**
 * A parameter of a model.
 *
 * @param name its key in weight files
 * @param shape its sizes, row-major
 * @param init how it is initialized
 */
public record ParameterSpec(String name, Shape shape, Init init) {
    /** Creates a parameter of the given sizes. */
    public ParameterSpec(String name, long[] shape, Init init) {
        this(name, new Shape(shape), init);
    }
}
