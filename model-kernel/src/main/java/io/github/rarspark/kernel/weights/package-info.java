/**
 * Named tensors: weight files of any format, tables of the parameters that a model has, and the tensors themselves, read
 * from a file or drawn from a seed. The formats are packages of their own below this one.
 */
package io.github.rarspark.kernel.weights;
