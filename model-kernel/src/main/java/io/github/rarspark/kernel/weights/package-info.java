/**
 * Named tensors: the safetensors file format, tables of the parameters that a model has, and the tensors themselves,
 * read from a file or drawn from a seed.
 */
package io.github.rarspark.kernel.weights;
