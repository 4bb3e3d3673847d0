package io.github.rarspark.kernel.weights.format;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Memory-mapped parts of a file. */
public final class MappedRanges {
    private MappedRanges() {}

    /**
     * A range of bytes.
     *
     * @param begin the first, inclusive
     * @param end the last, exclusive
     */
    public record Range(long begin, long end) {
        /** The number of bytes. */
        public long length() {
            return end - begin;
        }
    }

    /** A function of an open file. */
    @FunctionalInterface
    public interface Use<T> {
        /** Applies the function. */
        T of(FileChannel channel) throws IOException;
    }

    /**
     * Maps ranges sorted by their begin, each at most 2 GiB long. Neighbours share a mapping, because the number of
     * mappings per process is limited (65,530 by default).
     *
     * @return the ranges' bytes, read-only and little-endian, in their order
     */
    public static List<ByteBuffer> map(FileChannel channel, List<Range> ranges) throws IOException {
        List<ByteBuffer> buffers = new ArrayList<>(ranges.size());
        while (buffers.size() < ranges.size()) {
            long begin = ranges.get(buffers.size()).begin();
            long end = begin;
            int next = buffers.size();
            while (next < ranges.size() && ranges.get(next).end() - begin <= Integer.MAX_VALUE) {
                end = Math.max(end, ranges.get(next++).end());
            }
            ByteBuffer window = channel.map(MapMode.READ_ONLY, begin, end - begin);
            while (buffers.size() < next) {
                Range range = ranges.get(buffers.size());
                buffers.add(window.slice((int) (range.begin() - begin), (int) range.length())
                        .order(ByteOrder.LITTLE_ENDIAN));
            }
        }
        return buffers;
    }

    /** Opens a local file; its mappings outlive the channel. */
    public static <T> T inFile(Path path, Use<T> use) throws IOException {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            return use.of(channel);
        }
    }

    /** Copies a stream to a temporary file whose space is freed when its last mapping is. */
    public static <T> T inTemporaryFile(InputStream in, Use<T> use) throws IOException {
        Path path = Files.createTempFile("tensors", ".bin");
        try (FileChannel channel = FileChannel.open(
                path, StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.DELETE_ON_CLOSE)) {
            in.transferTo(Channels.newOutputStream(channel));
            return use.of(channel);
        } finally {
            Files.deleteIfExists(path);
        }
    }

    /** Up to {@code length} bytes at the given position; fewer if the file ends there. */
    public static byte[] read(FileChannel channel, long position, int length) throws IOException {
        long present = Math.max(0, Math.min(length, channel.size() - position));
        ByteBuffer bytes = ByteBuffer.allocate((int) present);
        while (bytes.hasRemaining() && channel.read(bytes, position + bytes.position()) >= 0) {
            // A read may return fewer bytes than requested.
        }
        return Arrays.copyOf(bytes.array(), bytes.position());
    }
}
