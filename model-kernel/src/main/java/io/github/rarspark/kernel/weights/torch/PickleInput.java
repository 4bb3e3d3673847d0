package io.github.rarspark.kernel.weights.torch;

import io.github.rarspark.kernel.error.DataException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/**
 * The bytes of a pickle: opcodes and their operands. A length is checked before anything of it is allocated.
 *
 * <p>Every method throws {@link java.nio.BufferUnderflowException} where the pickle ends too early.
 */
final class PickleInput {
    private static final int LONGEST_LINE = 1000;

    private final ByteBuffer in;
    private final String file;

    /**
     * A pickle at a buffer's position, which moves as it is read.
     *
     * @param file what messages call the file
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

    /** A double, which pickles keep big-endian. */
    double float64() {
        return Double.longBitsToDouble(Long.reverseBytes(in.getLong()));
    }

    /** A little-endian integer in two's complement of any length: a Long if it fits, else a BigInteger. */
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

    /** A name of the text form, up to the line's end. */
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

    /** The header of a frame, whose content is read like everything else. */
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
