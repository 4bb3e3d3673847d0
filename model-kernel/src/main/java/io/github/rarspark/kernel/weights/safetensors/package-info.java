/** The safetensors format. */
package io.github.rarspark.kernel.weights.safetensors;
