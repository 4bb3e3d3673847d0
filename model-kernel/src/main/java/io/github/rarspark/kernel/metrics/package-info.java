/**
 * Metrics that compare sets of images by the features a network gives them, with the arithmetic of the ADM evaluation
 * suite (Dhariwal and Nichol, "Diffusion models beat GANs on image synthesis", 2021).
 */
package io.github.rarspark.kernel.metrics;
