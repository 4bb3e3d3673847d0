/**
 * Inception v3 of 2015-12-05, the network whose features FID, sFID, the Inception Score and precision and recall are
 * computed on in published tables.
 */
package io.github.rarspark.kernel.inception;
