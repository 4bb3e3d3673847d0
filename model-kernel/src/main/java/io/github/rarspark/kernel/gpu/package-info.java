/** What a GPU is, and whether libtorch can compute on it. */
package io.github.rarspark.kernel.gpu;
