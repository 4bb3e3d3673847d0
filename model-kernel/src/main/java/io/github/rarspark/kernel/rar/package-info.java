/**
 * Randomized Autoregressive visual generation (Yu et al., arXiv 2411.00776): the transformer, what a training step
 * needs, and sampling with a key-value cache. Names of the weights are those of the public checkpoints.
 */
package io.github.rarspark.kernel.rar;
