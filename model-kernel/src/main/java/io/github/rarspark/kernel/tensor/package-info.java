/**
 * Tensors: scopes that own them and compute on them, and the settings of libtorch that belong to a thread. Tensors are
 * DJL arrays; nothing outside the kernel sees a native handle.
 */
package io.github.rarspark.kernel.tensor;
