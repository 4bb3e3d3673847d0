/**
 * How ranks report to the driver while their stage runs: one TCP connection per rank, one line of JSON per message,
 * each answered by one line.
 */
package io.github.rarspark.train.coordinator;
