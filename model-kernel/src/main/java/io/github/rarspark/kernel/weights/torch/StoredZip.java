package io.github.rarspark.kernel.weights.torch;

import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.weights.format.MappedRanges.Range;
import io.github.rarspark.kernel.weights.format.Text;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Locates the entries of a zip archive that are stored, not compressed, like PyTorch's. The JDK's reader does not
 * expose an entry's offset in the file, which memory-mapping needs. This one accepts unambiguous files only: the
 * directory is directly followed by the end records at the end of the file, local headers agree with the directory, and
 * entries do not overlap.
 */
final class StoredZip {
    private static final int LOCAL_HEADER = 0x04034b50;
    private static final int CENTRAL_HEADER = 0x02014b50;

    private static final int LOCAL_BYTES = 30;

    private final ZipBytes zip;

    private StoredZip(ZipBytes zip) {
        this.zip = zip;
    }

    /**
     * An entry.
     *
     * @param name its path in the archive
     * @param data its bytes
     * @param crc their CRC-32
     */
    record Entry(String name, Range data, int crc) {}

    /** A record of the directory: an entry before its data is located, and the offset of its local header. */
    private record Listed(String name, int flags, long bytes, long header, int crc) {}

    /**
     * All entries by name.
     *
     * @throws DataException if the archive is malformed, or uses features that stored archives do not have
     */
    static Map<String, Entry> read(FileChannel channel, String file) throws IOException {
        return new StoredZip(new ZipBytes(channel, file)).entries();
    }

    private Map<String, Entry> entries() throws IOException {
        ZipDirectory directory = ZipDirectory.find(zip);
        List<Listed> inOrder = list(directory);
        inOrder.sort(Comparator.comparingLong(Listed::header));
        Map<String, Entry> byName = new LinkedHashMap<>();
        long end = 0;
        for (Listed listed : inOrder) {
            zip.expect(
                    listed.header() >= end, "its entry " + Text.quote(listed.name()) + " overlaps the one before it");
            Entry entry = locate(listed, directory.begin());
            end = entry.data().end();
            zip.expect(
                    byName.put(entry.name(), entry) == null, "it has the entry " + Text.quote(entry.name()) + " twice");
        }
        return byName;
    }

    private List<Listed> list(ZipDirectory directory) throws IOException {
        ByteBuffer in = zip.read(directory.begin(), (int) directory.bytes());
        List<Listed> listed = new ArrayList<>();
        try {
            while (listed.size() < directory.entries()) {
                listed.add(next(in));
            }
        } catch (BufferUnderflowException e) {
            throw TorchError.malformed(
                    zip.file(),
                    "its zip directory ends within entry " + (listed.size() + 1) + " of " + directory.entries(),
                    e);
        }
        zip.expect(!in.hasRemaining(), "its zip directory has " + in.remaining() + " bytes after its last entry");
        return listed;
    }

    private Listed next(ByteBuffer in) {
        zip.expect(in.getInt() == CENTRAL_HEADER, "its zip directory contains something other than entries");
        in.getInt(); // versions
        int flags = in.getShort() & 0xffff;
        int method = in.getShort() & 0xffff;
        in.getInt(); // time
        int crc = in.getInt();
        long compressed = in.getInt() & ZipBytes.UNKNOWN_32;
        long bytes = in.getInt() & ZipBytes.UNKNOWN_32;
        int nameBytes = in.getShort() & 0xffff;
        int extraBytes = in.getShort() & 0xffff;
        int commentBytes = in.getShort() & 0xffff;
        int disk = in.getShort() & 0xffff;
        in.getShort(); // attributes
        in.getInt();
        long header = in.getInt() & ZipBytes.UNKNOWN_32;
        String name = name(take(in, nameBytes));
        ByteBuffer extra = extra64(take(in, extraBytes), name);
        take(in, commentBytes);
        String entry = "its entry " + Text.quote(name);
        bytes = wide(bytes, extra, entry);
        compressed = wide(compressed, extra, entry);
        header = wide(header, extra, entry);
        zip.expect(method == 0, entry + " is compressed (method " + method + "), which PyTorch's never are");
        zip.expect((flags & 0x2041) == 0, entry + " is encrypted");
        zip.expect(compressed == bytes, entry + " is stored in " + compressed + " bytes but has " + bytes);
        zip.expect(disk == 0, entry + " is in another part of the archive");
        return new Listed(name, flags, bytes, header, crc);
    }

    private static ByteBuffer take(ByteBuffer in, int length) {
        if (length > in.remaining()) {
            throw new BufferUnderflowException();
        }
        ByteBuffer taken = in.slice(in.position(), length).order(ByteOrder.LITTLE_ENDIAN);
        in.position(in.position() + length);
        return taken;
    }

    /** The ZIP64 extra field; empty if there is none. */
    private ByteBuffer extra64(ByteBuffer extra, String entry) {
        while (extra.remaining() >= 4) {
            int id = extra.getShort() & 0xffff;
            int length = extra.getShort() & 0xffff;
            zip.expect(
                    length <= extra.remaining(), "the extra fields of entry " + Text.quote(entry) + " are truncated");
            ByteBuffer field = take(extra, length);
            if (id == 1) {
                return field;
            }
        }
        return ByteBuffer.allocate(0);
    }

    private long wide(long value, ByteBuffer extra, String entry) {
        if (value != ZipBytes.UNKNOWN_32) {
            return value;
        }
        zip.expect(extra.remaining() >= Long.BYTES, entry + " is larger than 4 GiB, but has no ZIP64 sizes");
        long wide = extra.getLong();
        zip.expect(wide >= 0, entry + " has a ZIP64 size of " + Long.toUnsignedString(wide));
        return wide;
    }

    private String name(ByteBuffer bytes) {
        String name;
        try {
            name = StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
        } catch (CharacterCodingException e) {
            throw TorchError.malformed(zip.file(), "it has an entry whose name is not UTF-8", e);
        }
        boolean climbs = Arrays.asList(name.split("/", -1)).contains("..");
        zip.expect(
                !climbs && !name.startsWith("/") && name.indexOf('\\') < 0 && name.indexOf('\0') < 0,
                "its entry " + Text.quote(name) + " has a path that leaves the archive");
        return name;
    }

    // ---- local headers ----

    private Entry locate(Listed listed, long directoryBegin) throws IOException {
        String entry = "its entry " + Text.quote(listed.name());
        long limit = directoryBegin - LOCAL_BYTES;
        zip.expect(listed.header() <= limit, entry + " begins after the data");
        ByteBuffer header = zip.read(listed.header(), LOCAL_BYTES);
        zip.expect(header.getInt() == LOCAL_HEADER, entry + " has no local header where the directory says");
        header.getShort(); // version
        int flags = header.getShort() & 0xffff;
        int method = header.getShort() & 0xffff;
        header.getInt(); // time
        header.getInt(); // crc
        long compressed = header.getInt() & ZipBytes.UNKNOWN_32;
        long bytes = header.getInt() & ZipBytes.UNKNOWN_32;
        int nameBytes = header.getShort() & 0xffff;
        int extraBytes = header.getShort() & 0xffff;
        long begin = listed.header() + LOCAL_BYTES + nameBytes + extraBytes;
        zip.expect(
                begin <= directoryBegin && listed.bytes() <= directoryBegin - begin,
                entry + " of " + listed.bytes() + " bytes reaches into the directory");
        byte[] name = zip.read(listed.header() + LOCAL_BYTES, nameBytes).array();
        // Sizes are 0 here if they follow the data (flag 3), and placeholders if they are ZIP64.
        boolean sizesAgree = ZipBytes.agree(bytes, ZipBytes.UNKNOWN_32, listed.bytes())
                && ZipBytes.agree(compressed, ZipBytes.UNKNOWN_32, listed.bytes());
        boolean sizesFollow = (flags & 8) != 0 && bytes == 0 && compressed == 0;
        zip.expect(
                Arrays.equals(name, listed.name().getBytes(StandardCharsets.UTF_8))
                        && method == 0
                        && flags == listed.flags()
                        && (sizesAgree || sizesFollow),
                entry + " differs between its local header and the directory");
        return new Entry(listed.name(), new Range(begin, begin + listed.bytes()), listed.crc());
    }
}
