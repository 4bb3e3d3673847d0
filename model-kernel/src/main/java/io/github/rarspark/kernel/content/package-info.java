/** Detects what a weight file holds, by asking every model whether the tensors look like its own. */
package io.github.rarspark.kernel.content;
