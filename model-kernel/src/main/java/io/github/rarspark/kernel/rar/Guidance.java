package io.github.rarspark.kernel.rar;

/**
 * Classifier-free guidance: how far the logits are moved from unconditional to conditional at each step (Section 4.1 of
 * the paper). A scale of 0 turns guidance off; no unconditional rows are computed then.
 *
 * @param kind how the scale depends on the step
 * @param scale g
 * @param power exponent of the power-cosine schedule
 */
public record Guidance(Kind kind, double scale, double power) {
    /** No guidance. */
    public static final Guidance NONE = new Guidance(Kind.CONSTANT, 0, 0);

    /** How the scale depends on step t of T. */
    public enum Kind {
        /** {@code (1 - cos(pi (t/T)^power)) / 2 * (g - 1) + 1}. */
        POWER_COSINE,
        /** {@code (g - 1) t/T + 1}. */
        LINEAR,
        /** {@code g}. */
        CONSTANT
    }

    /** Whether unconditional rows are computed. */
    public boolean isOn() {
        return scale != 0;
    }

    /** The scale at step t of T, counted from 0. */
    public double at(int t, int T) {
        double progress = (double) t / T;
        return switch (kind) {
            case POWER_COSINE -> (1 - Math.cos(Math.PI * Math.pow(progress, power))) / 2 * (scale - 1) + 1;
            case LINEAR -> (scale - 1) * progress + 1;
            case CONSTANT -> scale;
        };
    }
}
