package io.github.rarspark.common.npz;

import io.github.rarspark.common.storage.Sha256;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.kernel.error.DataException;
import java.io.BufferedInputStream;
import java.io.Closeable;
import java.io.EOFException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.zip.ZipEntry;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipFile;
import org.apache.hadoop.fs.FSDataInputStream;

/**
 * Reads an {@code .npz} file, stored or deflated, as streams, without loading whole arrays into memory. Not
 * thread-safe.
 */
public final class NpzFile implements Closeable {
    static final String SUFFIX = ".npy";

    private final String path;
    private final FSDataInputStream in;
    private final ZipFile zip;

    private NpzFile(String path, FSDataInputStream in, ZipFile zip) {
        this.path = path;
        this.in = in;
        this.zip = zip;
    }

    /**
     * Opens the archive at {@code path}.
     *
     * @throws DataException if it is not a zip archive
     * @throws java.io.FileNotFoundException if it does not exist
     */
    public static NpzFile open(Storage storage, String path) throws IOException {
        long length = storage.length(path);
        FSDataInputStream in = storage.open(path);
        try {
            return new NpzFile(path, in, new ZipFile(new StreamChannel(in, length)));
        } catch (IOException e) {
            in.close();
            throw new DataException(
                    "Cannot read " + path + ": it is not an npz file (a zip archive), or it is corrupt", e);
        }
    }

    /** The names of the arrays. */
    public SortedSet<String> names() {
        SortedSet<String> names = new TreeSet<>();
        for (ZipArchiveEntry entry : Collections.list(zip.getEntries())) {
            if (entry.getName().endsWith(SUFFIX)) {
                names.add(entry.getName().substring(0, entry.getName().length() - SUFFIX.length()));
            }
        }
        return names;
    }

    /** Identifies the content: the hash of the table of contents, with the length and checksum of each array. */
    public String sha256() {
        StringBuilder contents = new StringBuilder();
        for (String name : names()) {
            ZipArchiveEntry entry = find(name);
            contents.append(name).append('\0').append(entry.getSize()).append('\0');
            contents.append(entry.getCrc()).append('\n');
        }
        return Sha256.of(contents.toString().getBytes(StandardCharsets.UTF_8));
    }

    /**
     * Type and shape of an array.
     *
     * @throws DataException if there is no array of this name, or it is malformed
     */
    public NpyHeader header(String name) throws IOException {
        try (InputStream entry = new BufferedInputStream(zip.getInputStream(find(name)))) {
            return NpyHeader.read(entry, describe(name));
        }
    }

    /**
     * The elements of an array from the given byte on. In a stored array the bytes before it are not read. One stream
     * is open at a time; closing it leaves the file open.
     *
     * @throws DataException if there is no array of this name, or it is malformed
     */
    public InputStream elements(String name, long fromByte) throws IOException {
        ZipArchiveEntry entry = find(name);
        if (entry.getMethod() == ZipEntry.STORED) {
            in.seek(entry.getDataOffset());
            NpyHeader.read(in, describe(name));
            in.seek(in.getPos() + fromByte);
            return new BufferedInputStream(new Unclosed(in));
        }
        InputStream elements = new BufferedInputStream(zip.getInputStream(entry));
        NpyHeader.read(elements, describe(name));
        elements.skipNBytes(fromByte);
        return elements;
    }

    /**
     * The elements of an array of 32-bit or 64-bit floats.
     *
     * @throws DataException if there is no array of this name, it is malformed or has another type
     */
    public double[] doubles(String name) throws IOException {
        NpyHeader header = header(name);
        int width =
                switch (header.type()) {
                    case NpyHeader.FLOAT64 -> Double.BYTES;
                    case NpyHeader.FLOAT32 -> Float.BYTES;
                    default -> throw new DataException("Cannot read " + describe(name) + ": it has type "
                            + header.type() + " instead of <f4 or <f8");
                };
        double[] values = new double[Math.toIntExact(header.elements())];
        byte[] row = new byte[width];
        try (InputStream elements = elements(name, 0)) {
            for (int i = 0; i < values.length; i++) {
                if (elements.readNBytes(row, 0, width) < width) {
                    throw new EOFException(describe(name) + " is truncated");
                }
                ByteBuffer element = ByteBuffer.wrap(row).order(ByteOrder.LITTLE_ENDIAN);
                values[i] = width == Double.BYTES ? element.getDouble() : element.getFloat();
            }
        }
        return values;
    }

    private ZipArchiveEntry find(String name) {
        ZipArchiveEntry entry = zip.getEntry(name + SUFFIX);
        if (entry == null) {
            throw new DataException("Cannot read " + path + ": it has no array '" + name + "', only " + names());
        }
        return entry;
    }

    private String describe(String name) {
        return name + " of " + path;
    }

    @Override
    public void close() throws IOException {
        // The archive closes its channel, and that the stream.
        zip.close();
    }

    private static final class Unclosed extends FilterInputStream {
        Unclosed(InputStream in) {
            super(in);
        }

        @Override
        public void close() {
            // The file stays open for other arrays.
        }
    }
}
