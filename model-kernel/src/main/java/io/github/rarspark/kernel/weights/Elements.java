package io.github.rarspark.kernel.weights;

import io.github.rarspark.kernel.weights.format.ElementType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Converts between elements in a file (F32, F16 or BF16, little-endian) and floats. */
final class Elements {
    private Elements() {}

    /** Reads the next {@code count} elements of a type. */
    static void read(ElementType type, ByteBuffer bytes, float[] values, int count) {
        switch (type) {
            case F16 -> {
                for (int i = 0; i < count; i++) {
                    values[i] = HalfPrecision.toFloat(bytes.getShort());
                }
            }
            case BF16 -> {
                for (int i = 0; i < count; i++) {
                    values[i] = Float.intBitsToFloat(bytes.getShort() << 16);
                }
            }
            default -> {
                bytes.asFloatBuffer().get(values, 0, count);
                bytes.position(bytes.position() + count * Float.BYTES);
            }
        }
    }

    /** Converts the remaining elements to another type; rounds to nearest, ties to even. */
    static ByteBuffer convert(ByteBuffer source, ElementType from, ElementType to) {
        int elements = source.remaining() / from.bytes();
        ByteBuffer converted = ByteBuffer.allocateDirect(Math.multiplyExact(elements, to.bytes()))
                .order(ByteOrder.LITTLE_ENDIAN);
        float[] value = new float[1];
        while (source.hasRemaining()) {
            read(from, source, value, 1);
            switch (to) {
                case F16 -> converted.putShort(HalfPrecision.fromFloat(value[0]));
                case BF16 -> converted.putShort(HalfPrecision.toBfloat16(value[0]));
                default -> converted.putFloat(value[0]);
            }
        }
        return converted.flip();
    }
}
