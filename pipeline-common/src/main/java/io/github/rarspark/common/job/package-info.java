/**
 * What all jobs have in common: its context, its three steps, its outcome, and the frame that runs it. These classes
 * run on the driver.
 */
package io.github.rarspark.common.job;
