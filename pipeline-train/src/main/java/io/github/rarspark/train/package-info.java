/** Data-parallel RAR training. */
package io.github.rarspark.train;
