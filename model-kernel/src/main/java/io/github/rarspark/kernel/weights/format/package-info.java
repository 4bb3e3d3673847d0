/**
 * What the weight file formats share: memory-mapped named tensors, their types and shapes, and the interfaces through
 * which {@link io.github.rarspark.kernel.weights.TensorFile} uses a format.
 */
package io.github.rarspark.kernel.weights.format;
