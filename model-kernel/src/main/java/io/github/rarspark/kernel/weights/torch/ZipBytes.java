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
 * @param file its name in messages
 */
record ZipBytes(FileChannel channel, String file) {
    /** The 32-bit placeholder of a value that is in a ZIP64 record. */
    static final long UNKNOWN_32 = 0xffff_ffffL;
    /** The 16-bit placeholder of a value that is in a ZIP64 record. */
    static final int UNKNOWN_16 = 0xffff;

    long size() throws IOException {
        return channel.size();
    }

    /** Reads bytes within the file, little-endian. */
    ByteBuffer read(long position, int length) throws IOException {
        byte[] bytes = MappedRanges.read(channel, position, length);
        if (bytes.length < length) {
            throw new EOFException(file + " was truncated while it was read");
        }
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Whether a field equals its exact value, or defers to the ZIP64 record. */
    static boolean agree(long plain, long unknown, long exact) {
        return plain == unknown || plain == exact;
    }

    /** Rejects the archive unless a condition holds. */
    void expect(boolean condition, String otherwise) {
        if (!condition) {
            throw TorchError.malformed(file, otherwise);
        }
    }
}
