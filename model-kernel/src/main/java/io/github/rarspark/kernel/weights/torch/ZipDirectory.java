package io.github.rarspark.kernel.weights.torch;

import io.github.rarspark.kernel.error.DataException;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * The location of a zip archive's central directory, from the records at the end of the file, which must agree and be
 * unambiguous.
 *
 * @param begin its first byte
 * @param bytes its length
 * @param entries the number of entries
 */
record ZipDirectory(long begin, long bytes, long entries) {
    private static final int END = 0x06054b50;
    private static final int END_64 = 0x06064b50;
    private static final int LOCATOR_64 = 0x07064b50;

    private static final int END_BYTES = 22;
    private static final int END_64_BYTES = 56;
    private static final int LOCATOR_BYTES = 20;

    private static final int MOST_ENTRIES = 100_000;
    private static final int MOST_DIRECTORY_BYTES = 32 << 20;

    /**
     * Locates the directory.
     *
     * @throws DataException if the end records are malformed or do not agree
     */
    static ZipDirectory find(ZipBytes zip) throws IOException {
        long size = zip.size();
        zip.expect(size >= END_BYTES, "it has only " + size + " bytes");
        long endAt = size - END_BYTES;
        ByteBuffer end = zip.read(endAt, END_BYTES);
        zip.expect(end.getInt() == END, "it does not end with a zip directory: it is truncated, or has trailing data");
        int disk = end.getShort() & 0xffff;
        int directoryDisk = end.getShort() & 0xffff;
        int entriesHere = end.getShort() & 0xffff;
        int entries = end.getShort() & 0xffff;
        long bytes = end.getInt() & ZipBytes.UNKNOWN_32;
        long begin = end.getInt() & ZipBytes.UNKNOWN_32;
        int comment = end.getShort() & 0xffff;
        zip.expect(comment == 0, "its zip end record claims a comment of " + comment + " bytes, which is missing");
        zip.expect(disk == 0 && directoryDisk == 0 && entriesHere == entries, "its zip archive has several parts");
        ZipDirectory directory = new ZipDirectory(begin, bytes, entries);
        long directoryEnd = endAt;
        ByteBuffer locator = zip.read(Math.max(0, endAt - LOCATOR_BYTES), LOCATOR_BYTES);
        if (endAt >= LOCATOR_BYTES && locator.getInt() == LOCATOR_64) {
            directoryEnd = endAt - LOCATOR_BYTES - END_64_BYTES;
            directory = find64(zip, locator, directoryEnd, directory);
        }
        zip.expect(directory.entries() <= MOST_ENTRIES, "its zip directory claims " + directory.entries() + " entries");
        zip.expect(
                directory.begin() >= 0
                        && directory.bytes() >= 0
                        && directory.begin() <= directoryEnd
                        && directory.bytes() == directoryEnd - directory.begin(),
                "its zip directory is not where the end record says");
        zip.expect(
                directory.bytes() <= MOST_DIRECTORY_BYTES,
                "its zip directory has " + directory.bytes() + " bytes, more than " + MOST_DIRECTORY_BYTES);
        return directory;
    }

    /** Reads the ZIP64 end record, which must agree with the plain one. */
    private static ZipDirectory find64(ZipBytes zip, ByteBuffer locator, long recordAt, ZipDirectory plain)
            throws IOException {
        int disk = locator.getInt();
        long stated = locator.getLong();
        int disks = locator.getInt();
        zip.expect(disk == 0 && disks <= 1, "its ZIP64 locator points to another part");
        zip.expect(recordAt >= 0 && stated == recordAt, "its ZIP64 end record is not right before its locator");
        ByteBuffer end = zip.read(recordAt, END_64_BYTES);
        zip.expect(
                end.getInt() == END_64 && end.getLong() == END_64_BYTES - 12,
                "its ZIP64 end record is not one of " + END_64_BYTES + " bytes");
        end.getInt(); // versions
        zip.expect(end.getInt() == 0 && end.getInt() == 0, "its ZIP64 end record describes several parts");
        long entriesHere = end.getLong();
        long entries = end.getLong();
        long bytes = end.getLong();
        long begin = end.getLong();
        zip.expect(
                entriesHere == entries
                        && ZipBytes.agree(plain.entries(), ZipBytes.UNKNOWN_16, entries)
                        && ZipBytes.agree(plain.bytes(), ZipBytes.UNKNOWN_32, bytes)
                        && ZipBytes.agree(plain.begin(), ZipBytes.UNKNOWN_32, begin),
                "its two zip end records disagree");
        zip.expect(entries >= 0, "its zip directory claims " + Long.toUnsignedString(entries) + " entries");
        return new ZipDirectory(begin, bytes, entries);
    }
}
