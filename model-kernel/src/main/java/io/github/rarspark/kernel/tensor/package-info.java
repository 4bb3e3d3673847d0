/**
 * Tensors: scopes that own them and compute on them, and libtorch's per-thread settings. Tensors are DJL arrays; native
 * handles are not visible outside the kernel.
 */
package io.github.rarspark.kernel.tensor;
