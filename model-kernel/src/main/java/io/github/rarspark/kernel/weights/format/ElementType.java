package io.github.rarspark.kernel.weights.format;

import ai.djl.ndarray.types.DataType;

/** The element types of stored tensors. The constants' names are those of the safetensors format. */
public enum ElementType {
    /** IEEE 754 double precision. */
    F64(8),
    /** IEEE 754 single precision. */
    F32(4),
    /** IEEE 754 half precision. */
    F16(2),
    /** The upper half of a single-precision number. */
    BF16(2),
    /** Signed, 64 bits. */
    I64(8),
    /** Signed, 32 bits. */
    I32(4),
    /** Signed, 16 bits. */
    I16(2),
    /** Signed, 8 bits. */
    I8(1),
    /** Unsigned, 8 bits. */
    U8(1),
    /** One byte, 0 or 1. */
    BOOL(1);

    private final int bytes;

    ElementType(int bytes) {
        this.bytes = bytes;
    }

    /**
     * The type that stores a tensor of {@code type}.
     *
     * @throws IllegalArgumentException if files cannot store it
     */
    public static ElementType of(DataType type) {
        return switch (type) {
            case FLOAT64 -> F64;
            case FLOAT32 -> F32;
            case FLOAT16 -> F16;
            case INT64 -> I64;
            case INT32 -> I32;
            case UINT8 -> U8;
            case BOOLEAN -> BOOL;
            default -> throw new IllegalArgumentException("Cannot store tensors of type " + type);
        };
    }

    /** Whether this is F32, F16 or BF16, which models compute with in single precision. */
    public boolean isFloat() {
        return this == F32 || this == F16 || this == BF16;
    }

    /** Bytes per element. */
    public int bytes() {
        return bytes;
    }
}
