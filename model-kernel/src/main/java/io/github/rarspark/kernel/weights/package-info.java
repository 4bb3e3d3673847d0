/**
 * Named tensors: weight files of any format, tables of a model's parameters, and the tensors themselves, loaded from a
 * file or initialized from a seed. Each format has a subpackage.
 */
package io.github.rarspark.kernel.weights;
