package io.github.rarspark.common.npz;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.time.LocalDateTime;
import java.util.zip.CRC32;
import java.util.zip.CheckedOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * Writes an {@code .npz} file as a stream. Arrays are stored, not compressed, so that readers can reach any part of one;
 * the archive is Zip64 where an array takes 4 GiB or more. Equal arrays give equal bytes.
 */
public final class NpzWriter implements AutoCloseable {
    /**
     * What archives have that are to have no time. The JDK takes the earliest time of the format, a month before, for one
     * that the format cannot represent, and adds it by the time zone of the process.
     */
    private static final LocalDateTime NO_TIME = LocalDateTime.of(1980, 2, 1, 0, 0);

    private final ZipOutputStream zip;

    /** Creates a writer to {@code out}; closing it completes the archive and leaves {@code out} open. */
    public NpzWriter(OutputStream out) {
        this.zip = new ZipOutputStream(new KeepOpen(out));
    }

    /** Writes the elements of an array. */
    @FunctionalInterface
    public interface Elements {
        /** Writes all elements, little-endian and row-major; equal bytes at every call. */
        void writeTo(OutputStream out) throws IOException;
    }

    /**
     * Adds an array.
     *
     * @param elements called twice, because an entry starts with the checksum of its content
     * @throws IOException also if the number of bytes written is not what the header says
     */
    public void add(String name, NpyHeader header, Elements elements) throws IOException {
        byte[] head = header.bytes();
        CRC32 checksum = new CRC32();
        checksum.update(head);
        Counter counter = new Counter(new CheckedOutputStream(OutputStream.nullOutputStream(), checksum));
        elements.writeTo(counter);
        ZipEntry entry = new ZipEntry(name + NpzFile.SUFFIX);
        entry.setMethod(ZipEntry.STORED);
        entry.setTimeLocal(NO_TIME);
        entry.setSize(head.length + counter.bytes);
        entry.setCrc(checksum.getValue());
        zip.putNextEntry(entry);
        zip.write(head);
        elements.writeTo(new KeepOpen(zip));
        zip.closeEntry();
    }

    @Override
    public void close() throws IOException {
        zip.close();
    }

    private static class KeepOpen extends FilterOutputStream {
        KeepOpen(OutputStream out) {
            super(out);
        }

        @Override
        public void write(byte[] buffer, int offset, int length) throws IOException {
            out.write(buffer, offset, length);
        }

        @Override
        public void close() throws IOException {
            flush();
        }
    }

    private static final class Counter extends KeepOpen {
        private long bytes;

        Counter(OutputStream out) {
            super(out);
        }

        @Override
        public void write(int b) throws IOException {
            out.write(b);
            bytes++;
        }

        @Override
        public void write(byte[] buffer, int offset, int length) throws IOException {
            out.write(buffer, offset, length);
            bytes += length;
        }
    }
}
