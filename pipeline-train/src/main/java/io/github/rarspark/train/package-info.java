/**
 * Data-parallel RAR training. {@link io.github.rarspark.train.TrainJob} runs on the driver; it starts the ranks together
 * in a barrier stage, and from then on they talk through their process group. What concerns the run as a whole (progress,
 * published checkpoints) goes to the driver through the {@code coordinator}.
 */
package io.github.rarspark.train;
