/** Counter-based random streams: every random number of a run is a function of a seed, a purpose and indices. */
package io.github.rarspark.kernel.random;
