/**
 * Inception v3 of 2015-12-05, the network on whose features published tables compute FID, sFID, the Inception Score and
 * precision and recall.
 */
package io.github.rarspark.kernel.inception;
