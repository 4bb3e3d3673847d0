package io.github.rarspark.kernel.weights;

import io.github.rarspark.kernel.random.RandomStream;
import java.util.Arrays;

/** How a parameter is initialized. */
public sealed interface Init {
    /** Draws {@code count} values, row-major, computed in double precision and rounded once. */
    float[] draw(int count, RandomStream random);

    /** All 0. */
    static Init zeros() {
        return new Constant(0);
    }

    /** All 1. */
    static Init ones() {
        return new Constant(1);
    }

    /** Normal with mean 0, truncated at -2 and 2 (absolute bounds, independent of {@code std}). */
    static Init truncatedNormal(double std) {
        return new TruncatedNormal(std, 2);
    }

    /** Uniform between {@code -bound} and {@code bound}. */
    static Init uniform(double bound) {
        return new Uniform(bound);
    }

    /**
     * Uniform within 1/sqrt({@code fanIn}): Kaiming uniform with a = sqrt(5), PyTorch's default for weights and biases
     * of linear layers and convolutions.
     *
     * @param fanIn inputs per output: a row's length, or input channels times kernel area
     */
    static Init fanIn(long fanIn) {
        return new Uniform(1 / Math.sqrt(fanIn));
    }

    /** The same value everywhere; draws nothing. */
    record Constant(float value) implements Init {
        @Override
        public float[] draw(int count, RandomStream random) {
            float[] values = new float[count];
            Arrays.fill(values, value);
            return values;
        }
    }

    /** Normal with mean 0; values beyond {@code bound} are drawn again. */
    record TruncatedNormal(double std, double bound) implements Init {
        /** Checks that not too many draws will be rejected. */
        public TruncatedNormal {
            if (!(std > 0) || !(bound >= std)) {
                throw new IllegalArgumentException(
                        "Cannot draw from a normal distribution with standard deviation " + std + " truncated at "
                                + bound + ": the deviation must be positive and the bound at least as large");
            }
        }

        @Override
        public float[] draw(int count, RandomStream random) {
            float[] values = new float[count];
            for (int i = 0; i < count; i++) {
                double value;
                do {
                    value = std * random.nextGaussian();
                } while (Math.abs(value) > bound);
                values[i] = (float) value;
            }
            return values;
        }
    }

    /** Uniform between {@code -bound} and {@code bound}. */
    record Uniform(double bound) implements Init {
        @Override
        public float[] draw(int count, RandomStream random) {
            float[] values = new float[count];
            for (int i = 0; i < count; i++) {
                values[i] = (float) (bound * (2 * random.nextDouble() - 1));
            }
            return values;
        }
    }
}
