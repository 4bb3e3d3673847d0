package io.github.rarspark.kernel.weights;

/** IEEE 754 half-precision numbers: sign, 5 bits of exponent with bias 15, 10 bits of fraction. */
final class HalfPrecision {
    private static final float SMALLEST_SUBNORMAL = 0x1p-24f;

    private HalfPrecision() {}

    /** The number whose half-precision bits are {@code half}; every one is exact in single precision. */
    static float toFloat(short half) {
        int sign = (half & 0x8000) << 16;
        int exponent = half >> 10 & 0x1f;
        int fraction = half & 0x3ff;
        if (exponent == 0) {
            return (sign == 0 ? 1f : -1f) * fraction * SMALLEST_SUBNORMAL;
        }
        int exponentBits = exponent == 0x1f ? 0xff : exponent - 15 + 127;
        return Float.intBitsToFloat(sign | exponentBits << 23 | fraction << 13);
    }
}
