package io.github.rarspark.common.tokens;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import java.util.zip.CRC32C;

/**
 * The file of a token store, named by the hash of its source. It has all rows in the source's order, each a class id in
 * 4 bytes and T tokens in 2 bytes each, and at the end in 8 bytes the CRC-32C of the source's hash and all rows;
 * little-endian. It appears whole, by a rename, but is not flushed to the disk: every reader checks it, and a machine that
 * crashes ends the run.
 */
final class StoreFile {
    private static final String UNFINISHED = ".unfinished-";
    private static final int BUFFER_BYTES = 1 << 20;
    private static final double GIGABYTE = 1e9;

    private final SharedFolder folder;
    private final TokenSource source;
    private final Path path;
    private final int rowBytes;
    private final long rows;

    StoreFile(SharedFolder folder, TokenSource source) {
        this.folder = folder;
        this.source = source;
        this.path = folder.resolve(source.sha256() + ".tokens");
        this.rowBytes = rowBytes(source.tokensPerRow());
        this.rows = rows(source);
    }

    /** The length of a row in bytes. */
    static int rowBytes(int tokensPerRow) {
        return Integer.BYTES + tokensPerRow * Short.BYTES;
    }

    /** The length of the file for {@code source}. */
    static long bytes(TokenSource source) {
        return rows(source) * rowBytes(source.tokensPerRow()) + Long.BYTES;
    }

    private static long rows(TokenSource source) {
        return source.blockRows().stream().mapToLong(Long::longValue).sum();
    }

    Path path() {
        return path;
    }

    /** Identifies the present file among those that have its name one after the other; empty if there is none. */
    Optional<Object> identity() throws IOException {
        try {
            return Optional.of(
                    Files.readAttributes(path, BasicFileAttributes.class).fileKey());
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }

    /**
     * Maps the rows, if there is a file that is intact; reads it whole.
     *
     * @param mappingBytes the length of a mapping at most, unless a row is longer
     */
    Optional<TokenStore> open(int mappingBytes) throws IOException {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            return isIntact(channel) ? Optional.of(map(channel, mappingBytes)) : Optional.empty();
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }

    private boolean isIntact(FileChannel channel) throws IOException {
        if (channel.size() != bytes(source)) {
            return false;
        }
        CRC32C checksum = checksum();
        ByteBuffer buffer = buffer();
        long left = channel.size() - Long.BYTES;
        while (left > 0) {
            read(channel, buffer.clear().limit((int) Math.min(left, buffer.capacity())));
            left -= buffer.limit();
            checksum.update(buffer.flip());
        }
        read(channel, buffer.clear().limit(Long.BYTES));
        return buffer.getLong(0) == checksum.getValue();
    }

    private void read(FileChannel channel, ByteBuffer buffer) throws IOException {
        while (buffer.hasRemaining()) {
            if (channel.read(buffer) < 0) {
                throw new IOException("Cannot read " + path + ": it was truncated meanwhile");
            }
        }
    }

    private TokenStore map(FileChannel channel, int mappingBytes) throws IOException {
        int rowsPerMapping = Math.max(1, mappingBytes / rowBytes);
        List<ByteBuffer> mappings = new ArrayList<>();
        for (long first = 0; first < rows; first += rowsPerMapping) {
            long mapped = Math.min(rowsPerMapping, rows - first);
            mappings.add(channel.map(MapMode.READ_ONLY, first * rowBytes, mapped * rowBytes)
                    .order(ByteOrder.LITTLE_ENDIAN));
        }
        return new TokenStore(folder, mappings, rowsPerMapping, rows, source.tokensPerRow());
    }

    /**
     * Writes the file, in the place of one that is there, and removes what a process that died while writing has left.
     * Only one thread or process may do so at a time.
     *
     * @throws JobException {@link ExitCode#UNAVAILABLE} if it cannot be written; what reading the source throws
     */
    void write() throws IOException {
        folder.removeFiles(UNFINISHED);
        Path unfinished = folder.resolve(UNFINISHED + UUID.randomUUID());
        try {
            try (FileChannel channel = folder.create(unfinished)) {
                writeRows(channel);
            }
            Files.move(unfinished, path, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException | RuntimeException | Error e) {
            try {
                Files.deleteIfExists(unfinished);
            } catch (IOException remains) {
                e.addSuppressed(remains);
            }
            throw e;
        }
    }

    private void writeRows(FileChannel channel) throws IOException {
        CRC32C checksum = checksum();
        ByteBuffer buffer = buffer();
        for (int b = 0; b < source.blocks(); b++) {
            TokenBlock block = source.read(b);
            for (int row = 0; row < block.rows(); row++) {
                if (buffer.remaining() < rowBytes) {
                    checksum.update(buffer.flip());
                    write(channel, buffer.rewind());
                    buffer.clear();
                }
                block.putRow(row, buffer);
            }
        }
        checksum.update(buffer.flip());
        write(channel, buffer.rewind());
        write(channel, buffer.clear().putLong(checksum.getValue()).flip());
    }

    private void write(FileChannel channel, ByteBuffer buffer) throws IOException {
        try {
            while (buffer.hasRemaining()) {
                channel.write(buffer);
            }
        } catch (ClosedByInterruptException e) {
            throw e;
        } catch (IOException e) {
            throw new JobException(
                    ExitCode.UNAVAILABLE,
                    String.format(
                            Locale.ROOT,
                            "Cannot write the token store %s of %.1f GB: %s; free some space or set spark.local.dir to"
                                    + " a larger disk",
                            path,
                            bytes(source) / GIGABYTE,
                            e.getMessage()),
                    e);
        }
    }

    private CRC32C checksum() {
        CRC32C checksum = new CRC32C();
        checksum.update(source.sha256().getBytes(StandardCharsets.US_ASCII));
        return checksum;
    }

    private ByteBuffer buffer() {
        return ByteBuffer.allocate(Math.max(BUFFER_BYTES, rowBytes)).order(ByteOrder.LITTLE_ENDIAN);
    }
}
