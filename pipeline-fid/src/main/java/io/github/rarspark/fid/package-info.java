/** Metrics of samples against a reference. */
package io.github.rarspark.fid;
