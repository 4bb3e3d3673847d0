package io.github.rarspark.kernel.weights;

/**
 * IEEE 754 half-precision numbers (sign, 5 bits of exponent with bias 15, 10 bits of fraction), and the shorter
 * bfloat16, the upper half of a single-precision number.
 */
final class HalfPrecision {
    private static final float SMALLEST_SUBNORMAL = 0x1p-24f;
    private static final float SMALLEST_NORMAL = 0x1p-14f;
    private static final int NAN = 0x7e00;
    private static final int INFINITY = 0x7c00;

    private HalfPrecision() {}

    /** The value of half-precision bits; exact in single precision. */
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

    /** The half-precision bits nearest to {@code value}, ties to even. */
    static short fromFloat(float value) {
        int bits = Float.floatToRawIntBits(value);
        int sign = bits >>> 16 & 0x8000;
        float size = Math.abs(value);
        if (Float.isNaN(value)) {
            return (short) (sign | NAN);
        }
        if (size < SMALLEST_NORMAL) {
            return (short) (sign | (int) Math.rint(size / SMALLEST_SUBNORMAL));
        }
        // Rebias the exponent, then round off the lower 13 bits; a carry propagates into the exponent.
        int rebiased = (bits & 0x7fff_ffff) - (112 << 23);
        int rounded = rebiased + 0xfff + (rebiased >>> 13 & 1) >>> 13;
        return (short) (sign | Math.min(rounded, INFINITY));
    }

    /** The bfloat16 bits nearest to {@code value}, ties to even. */
    static short toBfloat16(float value) {
        int bits = Float.floatToRawIntBits(value);
        if (Float.isNaN(value)) {
            return (short) (bits >>> 16 | 0x40);
        }
        return (short) (bits + 0x7fff + (bits >>> 16 & 1) >>> 16);
    }
}
