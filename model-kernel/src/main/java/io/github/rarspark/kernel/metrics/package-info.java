/**
 * Metrics that compare sets of images by a network's features, computed like the ADM evaluation suite (Dhariwal and
 * Nichol, "Diffusion models beat GANs on image synthesis", 2021).
 */
package io.github.rarspark.kernel.metrics;
