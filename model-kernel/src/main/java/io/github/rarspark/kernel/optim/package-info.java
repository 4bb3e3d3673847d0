/** The optimizer and the schedules of training. */
package io.github.rarspark.kernel.optim;
