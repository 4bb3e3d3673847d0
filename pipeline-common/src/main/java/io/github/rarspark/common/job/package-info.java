/**
 * What all jobs have in common: what a job is given, the three steps that it consists of, what it returns, and the frame
 * that runs it. These classes run on the driver.
 */
package io.github.rarspark.common.job;
