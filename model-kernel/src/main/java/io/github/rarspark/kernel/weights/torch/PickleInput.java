package io.github.rarspark.kernel.weights.torch;

import io.github.rarspark.kernel.error.DataException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/**
 * The bytes of a pickle: opcodes and their operands. Lengths are checked before memory is allocated.
 *
 * <p>Every method throws {@link java.nio.BufferUnderflowException} if the pickle is truncated.
 */
final class PickleInput {
    private static final int LONGEST_LINE = 1000;

    private final ByteBuffer in;
    private final String file;

    /**
     * Creates an input at a buffer's position, which advances as it is read.
     *
     * @param file the file's name in messages
     */
    PickleInput(ByteBuffer in, String file) {
        this.in = in.order(ByteOrder.LITTLE_ENDIAN);
        this.file = file;
    }

    int unsignedByte() {
        return in.get() & 0xff;
    }

    int unsignedShort() {
        return in.getShort() & 0xffff;
    }

    int int32() {
        return in.getInt();
    }

    /** A double, big-endian in pickles. */
    double float64() {
        return Double.longBitsToDouble(Long.reverseBytes(in.getLong()));
    }

    /** A little-endian integer in two's complement of any length: a Long if it fits, otherwise a BigInteger. */
    Number integer(int length) {
        byte[] bytes = bytes(length);
        for (int i = 0; i < length / 2; i++) {
            byte low = bytes[i];
            bytes[i] = bytes[length - 1 - i];
            bytes[length - 1 - i] = low;
        }
        BigInteger value = length == 0 ? BigInteger.ZERO : new BigInteger(bytes);
        return value.bitLength() < Long.SIZE ? (Number) value.longValue() : value;
    }

    byte[] bytes(int length) {
        if (length < 0 || length > in.remaining()) {
            throw malformed("its pickle has a string of " + Integer.toUnsignedString(length) + " bytes, but only "
                    + in.remaining() + " follow");
        }
        byte[] bytes = new byte[length];
        in.get(bytes);
        return bytes;
    }

    String text(int length) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes(length)))
                    .toString();
        } catch (CharacterCodingException e) {
            throw TorchError.malformed(file, "its pickle has a string that is not UTF-8", e);
        }
    }

    /** A name in text form, up to the end of the line. */
    String line() {
        StringBuilder line = new StringBuilder();
        for (int c = unsignedByte(); c != '\n'; c = unsignedByte()) {
            if (line.length() == LONGEST_LINE) {
                throw malformed("its pickle refers to a name of more than " + LONGEST_LINE + " characters");
            }
            line.append((char) c);
        }
        return line.toString();
    }

    /** Skips the header of a frame; its content is read like any other. */
    void skipFrame() {
        long length = in.getLong();
        if (length < 0 || length > in.remaining()) {
            throw malformed("its pickle has a frame of " + Long.toUnsignedString(length) + " bytes, but only "
                    + in.remaining() + " follow");
        }
    }

    private DataException malformed(String why) {
        return TorchError.malformed(file, why);
    }
}
