package io.github.rarspark.conf;

/** How the scale of classifier-free guidance depends on the step t of T; g is the scale. */
public enum Guidance {
    /** {@code (1 - cos(pi * (t/T)^pow)) / 2 * (g - 1) + 1}. */
    POWER_COSINE,
    /** {@code (g - 1) * t/T + 1}. */
    LINEAR,
    /** {@code g} at each step. */
    CONSTANT
}
