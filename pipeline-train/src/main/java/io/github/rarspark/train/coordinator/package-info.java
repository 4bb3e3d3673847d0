/**
 * How ranks report to the driver while their stage runs: one TCP connection a rank, one line of JSON a message, each
 * answered by one line.
 */
package io.github.rarspark.train.coordinator;
