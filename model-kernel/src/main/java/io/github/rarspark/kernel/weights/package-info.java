/**
 * Named tensors: the weight file formats, tables of the parameters that a model has, and the tensors themselves,
 * read from a file or drawn from a seed.
 */
package io.github.rarspark.kernel.weights;
