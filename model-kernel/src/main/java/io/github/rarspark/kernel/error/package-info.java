/** The exceptions of the kernel. */
package io.github.rarspark.kernel.error;
