package io.github.rarspark.kernel.weights;

import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.weights.MappedRanges.Range;
import java.io.EOFException;
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
 * Where the entries of a zip archive lie whose entries are stored, not compressed, as PyTorch's are. The JDK's reader does
 * not tell an entry's place in the file, which mapping it needs. This one accepts one reading of a file only: the
 * directory stands right before the end records, which stand at the file's end, local headers agree with the directory,
 * and entries do not overlap.
 */
final class StoredZip {
    private static final int LOCAL_HEADER = 0x04034b50;
    private static final int CENTRAL_HEADER = 0x02014b50;
    private static final int END = 0x06054b50;
    private static final int END_64 = 0x06064b50;
    private static final int LOCATOR_64 = 0x07064b50;

    private static final int LOCAL_BYTES = 30;
    private static final int CENTRAL_BYTES = 46;
    private static final int END_BYTES = 22;
    private static final int END_64_BYTES = 56;
    private static final int LOCATOR_BYTES = 20;

    private static final long UNKNOWN_32 = 0xffff_ffffL;
    private static final int UNKNOWN_16 = 0xffff;
    private static final int MOST_ENTRIES = 100_000;
    private static final int MOST_DIRECTORY_BYTES = 32 << 20;

    private final FileChannel channel;
    private final String file;

    private StoredZip(FileChannel channel, String file) {
        this.channel = channel;
        this.file = file;
    }

    /**
     * An entry.
     *
     * @param name its path in the archive
     * @param data its bytes
     * @param crc their CRC-32
     */
    record Entry(String name, Range data, int crc) {}

    /** A record of the directory: the entry without its place, and where its local header is. */
    private record Listed(String name, int flags, long bytes, long header, int crc) {}

    /** Where the directory is. */
    private record Directory(long begin, long bytes, long entries) {}

    /**
     * All entries by name.
     *
     * @throws DataException if the archive is malformed, or has what stored archives do not have
     */
    static Map<String, Entry> read(FileChannel channel, String file) throws IOException {
        return new StoredZip(channel, file).entries();
    }

    private Map<String, Entry> entries() throws IOException {
        Directory directory = directory();
        List<Listed> inOrder = list(directory);
        inOrder.sort(Comparator.comparingLong(Listed::header));
        Map<String, Entry> byName = new LinkedHashMap<>();
        long end = 0;
        for (Listed listed : inOrder) {
            expect(listed.header() >= end, "its entry " + Text.quote(listed.name()) + " overlaps the one before it");
            Entry entry = locate(listed, directory.begin());
            end = entry.data().end();
            expect(byName.put(entry.name(), entry) == null, "it has the entry " + Text.quote(entry.name()) + " twice");
        }
        return byName;
    }

    // ---- end records ----

    private Directory directory() throws IOException {
        long size = channel.size();
        expect(size >= END_BYTES, "it has only " + size + " bytes");
        long endAt = size - END_BYTES;
        ByteBuffer end = bytes(endAt, END_BYTES);
        expect(end.getInt() == END, "it does not end with a zip directory: it was cut off, or something is appended");
        int disk = end.getShort() & 0xffff;
        int directoryDisk = end.getShort() & 0xffff;
        int entriesHere = end.getShort() & 0xffff;
        int entries = end.getShort() & 0xffff;
        long bytes = end.getInt() & UNKNOWN_32;
        long begin = end.getInt() & UNKNOWN_32;
        int comment = end.getShort() & 0xffff;
        expect(comment == 0, "its zip end record claims a comment of " + comment + " bytes, which is not there");
        expect(disk == 0 && directoryDisk == 0 && entriesHere == entries, "its zip archive has several parts");
        Directory directory = new Directory(begin, bytes, entries);
        long directoryEnd = endAt;
        ByteBuffer locator = bytes(Math.max(0, endAt - LOCATOR_BYTES), LOCATOR_BYTES);
        if (endAt >= LOCATOR_BYTES && locator.getInt() == LOCATOR_64) {
            directoryEnd = endAt - LOCATOR_BYTES - END_64_BYTES;
            directory = directory64(locator, directoryEnd, directory);
        }
        expect(directory.entries() <= MOST_ENTRIES, "its zip directory claims " + directory.entries() + " entries");
        expect(
                directory.begin() >= 0
                        && directory.bytes() >= 0
                        && directory.begin() <= directoryEnd
                        && directory.bytes() == directoryEnd - directory.begin(),
                "its zip directory is not where the end record says");
        expect(
                directory.bytes() <= MOST_DIRECTORY_BYTES,
                "its zip directory has " + directory.bytes() + " bytes, more than " + MOST_DIRECTORY_BYTES);
        return directory;
    }

    /** What the ZIP64 end record says, which has to agree with the plain one. */
    private Directory directory64(ByteBuffer locator, long recordAt, Directory plain) throws IOException {
        int disk = locator.getInt();
        long stated = locator.getLong();
        int disks = locator.getInt();
        expect(disk == 0 && disks <= 1, "its ZIP64 locator points to another part");
        expect(recordAt >= 0 && stated == recordAt, "its ZIP64 end record is not right before its locator");
        ByteBuffer end = bytes(recordAt, END_64_BYTES);
        expect(
                end.getInt() == END_64 && end.getLong() == END_64_BYTES - 12,
                "its ZIP64 end record is not one of " + END_64_BYTES + " bytes");
        end.getInt(); // versions
        expect(end.getInt() == 0 && end.getInt() == 0, "its ZIP64 end record speaks of several parts");
        long entriesHere = end.getLong();
        long entries = end.getLong();
        long bytes = end.getLong();
        long begin = end.getLong();
        expect(
                entriesHere == entries
                        && agree(plain.entries(), UNKNOWN_16, entries)
                        && agree(plain.bytes(), UNKNOWN_32, bytes)
                        && agree(plain.begin(), UNKNOWN_32, begin),
                "its two zip end records disagree");
        expect(entries >= 0, "its zip directory claims " + Long.toUnsignedString(entries) + " entries");
        return new Directory(begin, bytes, entries);
    }

    private static boolean agree(long plain, long unknown, long exact) {
        return plain == unknown || plain == exact;
    }

    // ---- directory ----

    private List<Listed> list(Directory directory) throws IOException {
        ByteBuffer in = bytes(directory.begin(), (int) directory.bytes());
        List<Listed> listed = new ArrayList<>();
        try {
            while (listed.size() < directory.entries()) {
                listed.add(next(in));
            }
        } catch (BufferUnderflowException e) {
            throw TorchFiles.malformed(
                    file,
                    "its zip directory ends within entry " + (listed.size() + 1) + " of " + directory.entries(),
                    e);
        }
        expect(!in.hasRemaining(), "its zip directory has " + in.remaining() + " bytes behind its last entry");
        return listed;
    }

    private Listed next(ByteBuffer in) {
        expect(in.getInt() == CENTRAL_HEADER, "its zip directory holds something else than entries");
        in.getInt(); // versions
        int flags = in.getShort() & 0xffff;
        int method = in.getShort() & 0xffff;
        in.getInt(); // time
        int crc = in.getInt();
        long compressed = in.getInt() & UNKNOWN_32;
        long bytes = in.getInt() & UNKNOWN_32;
        int nameBytes = in.getShort() & 0xffff;
        int extraBytes = in.getShort() & 0xffff;
        int commentBytes = in.getShort() & 0xffff;
        int disk = in.getShort() & 0xffff;
        in.getShort(); // attributes
        in.getInt();
        long header = in.getInt() & UNKNOWN_32;
        String name = name(take(in, nameBytes));
        ByteBuffer extra = extra64(take(in, extraBytes), name);
        take(in, commentBytes);
        String entry = "its entry " + Text.quote(name);
        bytes = wide(bytes, extra, entry);
        compressed = wide(compressed, extra, entry);
        header = wide(header, extra, entry);
        expect(method == 0, entry + " is compressed (method " + method + "), which PyTorch's never are");
        expect((flags & 0x2041) == 0, entry + " is encrypted");
        expect(compressed == bytes, entry + " is stored in " + compressed + " bytes but has " + bytes);
        expect(disk == 0, entry + " is in another part of the archive");
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

    /** The values of the ZIP64 field among the extra fields; empty if there is none. */
    private ByteBuffer extra64(ByteBuffer extra, String entry) {
        while (extra.remaining() >= 4) {
            int id = extra.getShort() & 0xffff;
            int length = extra.getShort() & 0xffff;
            expect(length <= extra.remaining(), "the extra fields of entry " + Text.quote(entry) + " are cut off");
            ByteBuffer field = take(extra, length);
            if (id == 1) {
                return field;
            }
        }
        return ByteBuffer.allocate(0);
    }

    private long wide(long value, ByteBuffer extra, String entry) {
        if (value != UNKNOWN_32) {
            return value;
        }
        expect(extra.remaining() >= Long.BYTES, entry + " is larger than 4 GiB, but has no ZIP64 sizes");
        long wide = extra.getLong();
        expect(wide >= 0, entry + " has a ZIP64 size of " + Long.toUnsignedString(wide));
        return wide;
    }

    private String name(ByteBuffer bytes) {
        String name;
        try {
            name = StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
        } catch (CharacterCodingException e) {
            throw TorchFiles.malformed(file, "it has an entry whose name is not UTF-8", e);
        }
        boolean climbs = Arrays.asList(name.split("/", -1)).contains("..");
        expect(
                !climbs && !name.startsWith("/") && name.indexOf('\\') < 0 && name.indexOf('\0') < 0,
                "its entry " + Text.quote(name) + " has a path that leaves the archive");
        return name;
    }

    // ---- local headers ----

    private Entry locate(Listed listed, long directoryBegin) throws IOException {
        String entry = "its entry " + Text.quote(listed.name());
        long limit = directoryBegin - LOCAL_BYTES;
        expect(listed.header() <= limit, entry + " begins behind the data");
        ByteBuffer header = bytes(listed.header(), LOCAL_BYTES);
        expect(header.getInt() == LOCAL_HEADER, entry + " has no local header where the directory says");
        header.getShort(); // version
        int flags = header.getShort() & 0xffff;
        int method = header.getShort() & 0xffff;
        header.getInt(); // time
        header.getInt(); // crc
        long compressed = header.getInt() & UNKNOWN_32;
        long bytes = header.getInt() & UNKNOWN_32;
        int nameBytes = header.getShort() & 0xffff;
        int extraBytes = header.getShort() & 0xffff;
        long begin = listed.header() + LOCAL_BYTES + nameBytes + extraBytes;
        expect(
                begin <= directoryBegin && listed.bytes() <= directoryBegin - begin,
                entry + " of " + listed.bytes() + " bytes reaches into the directory");
        byte[] name = MappedRanges.read(channel, listed.header() + LOCAL_BYTES, nameBytes);
        // Sizes are 0 here when they follow the data (flag 3), and unknown in 32 bits when they are ZIP64.
        boolean sizesAgree = agree(bytes, UNKNOWN_32, listed.bytes()) && agree(compressed, UNKNOWN_32, listed.bytes());
        boolean sizesFollow = (flags & 8) != 0 && bytes == 0 && compressed == 0;
        expect(
                Arrays.equals(name, listed.name().getBytes(StandardCharsets.UTF_8))
                        && method == 0
                        && flags == listed.flags()
                        && (sizesAgree || sizesFollow),
                entry + " differs between its local header and the directory");
        return new Entry(listed.name(), new Range(begin, begin + listed.bytes()), listed.crc());
    }

    private ByteBuffer bytes(long position, int length) throws IOException {
        byte[] bytes = MappedRanges.read(channel, position, length);
        if (bytes.length < length) {
            throw new EOFException(file + " became shorter while it was read");
        }
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private void expect(boolean condition, String otherwise) {
        if (!condition) {
            throw TorchFiles.malformed(file, otherwise);
        }
    }
}
