/** Throughput of the kernel's operations on this machine, as programs: figures, not tests. */
package io.github.rarspark.kernel.bench;
