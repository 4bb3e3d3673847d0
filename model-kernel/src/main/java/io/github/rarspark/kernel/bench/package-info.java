/** Benchmarks: the throughput of the kernel's operations on this machine. */
package io.github.rarspark.kernel.bench;
