/**
 * Scores of images against a reference: a plan cuts both sets into fixed units, a task computes the moments of a unit's
 * features, the driver combines them in the order of the units and writes the result.
 */
package io.github.rarspark.fid;
