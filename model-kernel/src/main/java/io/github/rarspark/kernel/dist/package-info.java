/**
 * Collectives between the ranks of a job, in libtorch (c10d). Ranks meet at a {@link
 * io.github.rarspark.kernel.dist.RendezvousStore}, form a {@link io.github.rarspark.kernel.dist.ProcessGroup} and
 * average gradients through a {@link io.github.rarspark.kernel.dist.GradientReducer}.
 */
package io.github.rarspark.kernel.dist;
