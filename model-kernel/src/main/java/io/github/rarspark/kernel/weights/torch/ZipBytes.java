package io.github.rarspark.kernel.weights.torch;

import io.github.rarspark.kernel.weights.format.MappedRanges;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;

/**
 * The bytes of a zip archive.
 *
 * @param channel the open file
 * @param file what messages call it
 */
record ZipBytes(FileChannel channel, String file) {
    /** What a 32-bit field holds whose value is in a ZIP64 record. */
    static final long UNKNOWN_32 = 0xffff_ffffL;
    /** What a 16-bit field holds whose value is in a ZIP64 record. */
    static final int UNKNOWN_16 = 0xffff;

    long size() throws IOException {
        return channel.size();
    }

    /** Bytes that are within the file, little-endian. */
    ByteBuffer read(long position, int length) throws IOException {
        byte[] bytes = MappedRanges.read(channel, position, length);
        if (bytes.length < length) {
            throw new EOFException(file + " became shorter while it was read");
        }
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Whether a field agrees with its exact value, or leaves it to the ZIP64 record. */
    static boolean agree(long plain, long unknown, long exact) {
        return plain == unknown || plain == exact;
    }

    /** Refuses the archive unless a condition holds. */
    void expect(boolean condition, String otherwise) {
        if (!condition) {
            throw TorchError.malformed(file, otherwise);
        }
    }
}
