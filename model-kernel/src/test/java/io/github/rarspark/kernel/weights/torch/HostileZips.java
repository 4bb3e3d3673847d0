package io.github.rarspark.kernel.weights.torch;

import ai.djl.ndarray.types.Shape;
import io.github.rarspark.kernel.weights.HostileFile;
import io.github.rarspark.kernel.weights.format.ElementType;
import io.github.rarspark.kernel.weights.format.TensorInfo;
import io.github.rarspark.kernel.weights.format.TensorWriter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** Files of no format, archives that break the zip format or are not what PyTorch writes, and the check that refuses each. */
public final class HostileZips {
    private static final int END = 22;
    private static final int LOCATOR = 42;
    private static final int END_64 = 98;

    private HostileZips() {}

    /** All of them. */
    public static List<HostileFile> all() {
        return List.of(
                broken("nothing", () -> new byte[0], "it is empty"),
                broken("a pointer", () -> ascii("version https://git-lfs.github.com/spec/v1\n"), "a Git LFS pointer"),
                broken("a page", () -> ascii("<!DOCTYPE html>"), "it is a web page"),
                broken("gzip", () -> new byte[] {31, (byte) 139, 8, 0}, "it is compressed with gzip"),
                broken("plain pickle", () -> new byte[] {(byte) 0x80, 4, '}', '.'}, "torch.save did not write"),
                broken("noise", () -> ascii("noise"), "neither a safetensors file nor one that torch.save wrote"),
                broken("beginning only", () -> ascii("PK\3\4"), "it has only 4 bytes"),
                broken("last byte missing", () -> cut(valid(), 1), "does not end with a zip directory"),
                broken("appended byte", () -> Arrays.copyOf(valid(), valid().length + 1), "has trailing data"),
                end("comment", 20, 5, "claims a comment of 5 bytes"),
                end("several disks", 4, 1, "has several parts"),
                end("fewer entries here", 8, 1, "has several parts"),
                end("another count", 10, 4, "has several parts"),
                end64("endless entries", e -> entries(e, 200_000), "claims 200000 entries"),
                end64("negative entries", e -> entries(e, -1), "claims 18446744073709551615 entries"),
                end64("directory shifted", e -> begin(e, e.getLong(48) + 1), "is not where the end record says"),
                end64("negative directory", e -> begin(e, -5), "is not where the end record says"),
                end64("directory beyond the end", e -> begin(e, 1L << 40), "is not where the end record says"),
                end64("endless directory", e -> size(e, Long.MAX_VALUE), "is not where the end record says"),
                end64("disagreeing counts", e -> e.putLong(32, 1), "two zip end records disagree"),
                end64("disagreeing places", e -> e.putLong(48, 0), "two zip end records disagree"),
                end64("another signature", e -> e.putInt(0, 0), "is not one of 56 bytes"),
                end64("longer record", e -> e.putLong(4, 100), "is not one of 56 bytes"),
                end64("parts in 64 bits", e -> e.putInt(16, 1), "describes several parts"),
                end64("locator elsewhere", e -> e.putLong(64, 7), "is not right before its locator"),
                end64("locator on another disk", e -> e.putInt(72, 2), "locator points to another part"),
                broken("directory of 33 MB", HostileZips::longDirectory, "more than 33554432"),
                end64("one entry too many", e -> entries(e, count(e) + 1), "ends within entry 6 of 6"),
                end64("one entry too few", e -> entries(e, count(e) - 1), "bytes after its last entry"),
                directory("no entry", 0, 0x12345678, "contains something other than entries"),
                directory("endless name", 28, 0xffff, "ends within entry 1 of 5"),
                directory("endless comment", 32, 0xffff, "ends within entry 1 of 5"),
                directory("method", 8, 0x00080808, "'archive/data.pkl' is compressed (method 8)"),
                directory("encrypted", 8, 0x0809, "'archive/data.pkl' is encrypted"),
                directory("two sizes", 20, 3, "is stored in 3 bytes but has"),
                directory("other disk", 34, 1, "is in another part of the archive"),
                directory("cut extra", 30, 8, "extra fields of entry 'archive/data.pkl' are truncated"),
                directory("no ZIP64 sizes", 24, -1, "larger than 4 GiB, but has no ZIP64 sizes"),
                broken("negative ZIP64 size", HostileZips::negativeSize, "has a ZIP64 size of 18446744073709551615"),
                directory("name not UTF-8", 46, 0xffffffff, "whose name is not UTF-8"),
                broken("climbing name", () -> zip("../../etc/passwd", "x"), "has a path that leaves the archive"),
                broken("absolute name", () -> zip("/etc/passwd", "x"), "has a path that leaves the archive"),
                broken("backslash", () -> zip("a\\..\\b", "x"), "has a path that leaves the archive"),
                directory("header behind the data", 42, 1 << 20, "begins after the data"),
                directory("header elsewhere", 42, 1, "has no local header where"),
                patched("reaching too far", HostileZips::reach, "of 1000000000 bytes reaches into the directory"),
                patched("size of all", b -> b.putInt(at(b) + 20, -2).putInt(at(b) + 24, -2), "reaches into the dir"),
                patched("other local name", b -> b.put(38, (byte) 'x'), "differs between its local header"),
                patched("other local method", b -> b.putShort(8, (short) 8), "differs between its local header"),
                patched("local size", b -> b.putInt(18, 9), "differs between its local header"),
                patched("one place twice", b -> b.putInt(second(b) + 42, 0), "overlaps the one before it"),
                broken("one name twice", HostileZips::twins, "has the entry 'x/data/0' twice"),
                broken("zip bomb", HostileZips::bomb, "is compressed (method 8)"),
                broken("no pickle", () -> zip("a/b/data.pkl", "."), "0 entries NAME/data.pkl"),
                broken("two pickles", () -> zip("a/data.pkl", ".", "b/data.pkl", "."), "2 entries NAME/data.pkl"),
                broken("program", () -> zip("a/data.pkl", ".", "a/constants.pkl", "."), "a TorchScript program"),
                broken("big endian", () -> zip("a/data.pkl", ".", "a/byteorder", "big"), "byte order is 'big'"),
                broken(
                        "endless byte order",
                        () -> zip("a/data.pkl", ".", "a/byteorder", "little".repeat(9)),
                        "has 54 bytes, more than 16"),
                broken("pickle of 17 MB", () -> zip("a/data.pkl", "x".repeat(17 << 20)), "more than 16777216"),
                patched(
                        "flipped pickle",
                        b -> b.put(70, (byte) ~b.get(70)),
                        "'archive/data.pkl' does not match its CRC"),
                patched("flipped data", HostileZips::flipData, "storage '0' does not match its CRC"),
                broken(
                        "no storage",
                        () -> zip(
                                "a/data.pkl",
                                PickleBuilder.pickle()
                                        .op('}')
                                        .text("w")
                                        .tensor()
                                        .op('s')),
                        "has no storage '0'"),
                broken(
                        "short storage",
                        () -> zip(
                                "a/data.pkl",
                                PickleBuilder.pickle()
                                        .op('}')
                                        .text("w")
                                        .tensor()
                                        .op('s'),
                                "a/data/0",
                                "short"),
                        "storage '0' needs 16 bytes but has 5"),
                broken(
                        "behind the pickle",
                        () -> zip("a/data.pkl", PickleBuilder.pickle().op('}', '.')),
                        "1 bytes"));
    }

    /** The archive of a pickle, with a storage 0 of 16 bytes. */
    static byte[] archive(byte[] pickle) {
        return archive(pickle, Map.of("0", new byte[16]));
    }

    /** The archive of a pickle with storages by their keys. */
    static byte[] archive(byte[] pickle, Map<String, byte[]> storages) {
        Map<String, byte[]> entries = new LinkedHashMap<>();
        entries.put("archive/data.pkl", pickle);
        storages.forEach((key, bytes) -> entries.put("archive/data/" + key, bytes));
        return zip(entries, ZipEntry.STORED);
    }

    private static HostileFile broken(String name, Supplier<byte[]> bytes, String check) {
        return new HostileFile("zip: " + name, HostileFile.Reader.ofAnyFormat(), bytes, check);
    }

    private static HostileFile patched(String name, Consumer<ByteBuffer> patch, String check) {
        return broken(name, () -> patch(valid(), patch), check);
    }

    private static HostileFile end(String name, int offset, int value, String check) {
        return patched(name, b -> b.putShort(b.capacity() - END + offset, (short) value), check);
    }

    /** Patches the ZIP64 end record, which the locator follows; the plain record leaves everything to it. */
    private static HostileFile end64(String name, Consumer<ByteBuffer> patch, String check) {
        return patched(
                name,
                b -> {
                    int end = b.capacity() - END;
                    if (!name.startsWith("disagreeing")) {
                        b.putInt(end + 8, -1).putInt(end + 12, -1).putInt(end + 16, -1);
                    }
                    patch.accept(b.slice(b.capacity() - END_64, END_64 - LOCATOR + 20)
                            .order(ByteOrder.LITTLE_ENDIAN));
                },
                check);
    }

    /** Patches the first entry of the directory: two bytes, or four if the value needs them. */
    private static HostileFile directory(String name, int offset, int value, String check) {
        return patched(
                name,
                b -> {
                    if (value == (value & 0xffff) && offset != 20 && offset != 42) {
                        b.putShort(at(b) + offset, (short) value);
                    } else {
                        b.putInt(at(b) + offset, value);
                    }
                },
                check);
    }

    private static void entries(ByteBuffer end64, long count) {
        end64.putLong(24, count).putLong(32, count);
    }

    private static long count(ByteBuffer end64) {
        return end64.getLong(32);
    }

    private static void size(ByteBuffer end64, long bytes) {
        end64.putLong(40, bytes);
    }

    private static void begin(ByteBuffer end64, long position) {
        end64.putLong(48, position);
    }

    /** Where the directory is. */
    private static int at(ByteBuffer file) {
        return (int) file.getLong(file.capacity() - END_64 + 48);
    }

    private static int second(ByteBuffer file) {
        return at(file) + 46 + file.getShort(at(file) + 28);
    }

    private static void reach(ByteBuffer b) {
        b.putInt(at(b) + 20, 1_000_000_000).putInt(at(b) + 24, 1_000_000_000);
    }

    private static void flipData(ByteBuffer b) {
        String name = "archive/data/0";
        int padding = new String(b.array(), StandardCharsets.ISO_8859_1).indexOf(name) + name.length() + 4;
        int data = padding + 63 & -64;
        b.put(data, (byte) ~b.get(data));
    }

    /** What the writer makes of two small tensors. */
    static byte[] valid() {
        List<TensorInfo> infos = List.of(
                new TensorInfo("a", ElementType.F32, new Shape(2, 2)),
                new TensorInfo("b", ElementType.F32, new Shape(2)));
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try {
            TensorWriter writer = TorchZip.FORMAT.begin(out, Map.of(), infos);
            writer.write("a", ByteBuffer.wrap(new byte[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}));
            writer.write("b", ByteBuffer.wrap(new byte[] {1, 2, 3, 4, 5, 6, 7, 8}));
            writer.finish();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    private static byte[] patch(byte[] bytes, Consumer<ByteBuffer> patch) {
        patch.accept(ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN));
        return bytes;
    }

    private static byte[] cut(byte[] bytes, int count) {
        return Arrays.copyOf(bytes, bytes.length - count);
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    private static byte[] longDirectory() {
        int size = 33 << 20;
        byte[] file = new byte[4 + size + END];
        return patch(file, b -> b.putInt(0, 0x04034b50)
                .putInt(4 + size, 0x06054b50)
                .putInt(4 + size + 12, size)
                .putInt(4 + size + 16, 4));
    }

    /** The first entry's size in 64 bits, which are all 1. */
    private static byte[] negativeSize() {
        byte[] valid = valid();
        int position = second(ByteBuffer.wrap(valid).order(ByteOrder.LITTLE_ENDIAN));
        byte[] longer = new byte[valid.length + 12];
        System.arraycopy(valid, 0, longer, 0, position);
        System.arraycopy(valid, position, longer, position + 12, valid.length - position);
        return patch(longer, b -> {
            int first = (int) b.getLong(b.capacity() - END_64 + 48);
            b.putInt(first + 24, -1).putShort(first + 30, (short) 12);
            b.putShort(position, (short) 1).putShort(position + 2, (short) 8).putLong(position + 4, -1);
            b.putLong(b.capacity() - END_64 + 40, b.getLong(b.capacity() - END_64 + 40) + 12);
            b.putInt(b.capacity() - END + 12, -1);
            b.putLong(b.capacity() - LOCATOR + 8, b.capacity() - END_64);
        });
    }

    private static byte[] twins() {
        byte[] zip = zip("x/data/0", "one", "x/data/1", "two");
        return ascii(new String(zip, StandardCharsets.ISO_8859_1).replace("x/data/1", "x/data/0"));
    }

    private static byte[] bomb() {
        return zip(Map.of("archive/data.pkl", new byte[50 << 20]), ZipEntry.DEFLATED);
    }

    /** An archive of names and contents, in turn: texts or pickles. */
    private static byte[] zip(Object... namesAndContents) {
        Map<String, byte[]> entries = new LinkedHashMap<>();
        for (int i = 0; i < namesAndContents.length; i += 2) {
            entries.put(
                    (String) namesAndContents[i],
                    namesAndContents[i + 1] instanceof PickleBuilder pickle
                            ? pickle.end()
                            : ascii((String) namesAndContents[i + 1]));
        }
        return zip(entries, ZipEntry.STORED);
    }

    private static byte[] zip(Map<String, byte[]> entries, int method) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(out)) {
            for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
                ZipEntry header = new ZipEntry(entry.getKey());
                header.setMethod(method);
                if (method == ZipEntry.STORED) {
                    CRC32 crc = new CRC32();
                    crc.update(entry.getValue());
                    header.setCrc(crc.getValue());
                    header.setSize(entry.getValue().length);
                }
                zip.putNextEntry(header);
                zip.write(entry.getValue());
                zip.closeEntry();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }
}
