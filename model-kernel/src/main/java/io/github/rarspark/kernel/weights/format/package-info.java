/**
 * What the formats of weight files share: named tensors in mapped memory, their types and shapes, and the interfaces
 * through which {@link io.github.rarspark.kernel.weights.TensorFile} uses a format.
 */
package io.github.rarspark.kernel.weights.format;
