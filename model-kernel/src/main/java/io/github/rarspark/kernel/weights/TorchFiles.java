package io.github.rarspark.kernel.weights;

import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.weights.MappedRanges.Range;
import io.github.rarspark.kernel.weights.PickleValue.Dictionary;
import io.github.rarspark.kernel.weights.PickleValue.Sequence;
import io.github.rarspark.kernel.weights.StoredZip.Entry;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.zip.CRC32;

/**
 * Reads what {@code torch.save} writes of dictionaries of tensors, without Python: since PyTorch 1.6 a zip archive of a
 * pickle and one entry for each storage, before that five pickles and the storages behind one another.
 */
final class TorchFiles {
    /** The pickle of {@code 0x1950a86a20f9469cfc6c} that older files start with. */
    private static final byte[] LEGACY_MAGIC = {
        (byte) 0x80,
        2,
        (byte) 0x8a,
        10,
        0x6c,
        (byte) 0xfc,
        (byte) 0x9c,
        0x46,
        (byte) 0xf9,
        0x20,
        0x6a,
        (byte) 0xa8,
        0x50,
        0x19,
        '.'
    };

    private static final long LEGACY_PROTOCOL = 1001;
    private static final int LEGACY_HEAD = 4 * PickleReader.MOST_BYTES;
    private static final String PICKLE = "/data.pkl";

    private TorchFiles() {}

    static boolean isZip(byte[] head) {
        return startsWith(head, new byte[] {'P', 'K', 3, 4}) || startsWith(head, new byte[] {'P', 'K', 5, 6});
    }

    static boolean isLegacy(byte[] head) {
        return startsWith(head, LEGACY_MAGIC);
    }

    private static boolean startsWith(byte[] head, byte[] start) {
        return head.length >= start.length
                && ByteBuffer.wrap(head, 0, start.length).equals(ByteBuffer.wrap(start));
    }

    /** Reads the zip format: {@code NAME/data.pkl}, {@code NAME/data/KEY} for each storage, and some notes. */
    static TensorFile readZip(FileChannel channel, String file) throws IOException {
        Map<String, Entry> entries = StoredZip.read(channel, file);
        List<Entry> pickles = entries.values().stream()
                .filter(entry -> entry.name().endsWith(PICKLE)
                        && entry.name().indexOf('/') == entry.name().length() - PICKLE.length())
                .toList();
        if (pickles.size() != 1) {
            throw malformed(file, "its zip archive has " + pickles.size() + " entries NAME/data.pkl instead of one");
        }
        Entry pickle = pickles.get(0);
        String folder = pickle.name().substring(0, pickle.name().length() - PICKLE.length());
        if (entries.containsKey(folder + "/constants.pkl")) {
            throw malformed(file, "it holds a TorchScript program; save the model's state_dict() instead");
        }
        checkByteOrder(channel, entries.get(folder + "/byteorder"), file);
        ByteBuffer code = small(channel, pickle, PickleReader.MOST_BYTES, file);
        TorchStorages storages = new TorchStorages(file, 5);
        Object root = PickleReader.read(code, file, storages::named);
        if (code.hasRemaining()) {
            throw malformed(file, "its pickle is followed by " + code.remaining() + " bytes");
        }
        for (TorchStorage storage : storages.all()) {
            Entry entry = entries.get(folder + "/data/" + storage.key());
            if (entry == null) {
                throw malformed(file, "its archive has no storage " + Text.quote(storage.key()));
            }
            storages.place(storage, entry.data(), entry.crc());
        }
        storages.map(channel);
        return StateDict.of(root, file, WeightFormat.TORCH_ZIP);
    }

    private static void checkByteOrder(FileChannel channel, Entry entry, String file) throws IOException {
        if (entry != null) {
            String order = StandardCharsets.ISO_8859_1
                    .decode(small(channel, entry, 16, file))
                    .toString();
            if (!order.equals("little")) {
                throw malformed(file, "its byte order is " + Text.quote(order) + " instead of 'little'");
            }
        }
    }

    private static ByteBuffer small(FileChannel channel, Entry entry, int most, String file) throws IOException {
        String what = "its entry " + Text.quote(entry.name());
        if (entry.data().length() > most) {
            throw malformed(file, what + " has " + entry.data().length() + " bytes, more than " + most);
        }
        byte[] bytes = MappedRanges.read(
                channel, entry.data().begin(), (int) entry.data().length());
        CRC32 crc = new CRC32();
        crc.update(bytes);
        // PyTorch writes 0 where it was told not to compute CRCs.
        if (entry.crc() != 0 && entry.crc() != (int) crc.getValue()) {
            throw malformed(file, what + " has not the CRC that the zip states");
        }
        return ByteBuffer.wrap(bytes);
    }

    /** Reads the older format: magic number, version, machine, the object, storage keys, and each storage's data. */
    static TensorFile readLegacy(FileChannel channel, String file) throws IOException {
        long size = channel.size();
        ByteBuffer head = channel.map(MapMode.READ_ONLY, 0, Math.min(size, LEGACY_HEAD));
        head.position(LEGACY_MAGIC.length);
        TorchStorages none = new TorchStorages(file, 0);
        Object version = PickleReader.read(head, file, none::named);
        if (!Long.valueOf(LEGACY_PROTOCOL).equals(version)) {
            throw malformed(
                    file,
                    "it has the version "
                            + (version instanceof Long number ? number.toString() : PickleValue.kind(version))
                            + " instead of 1001");
        }
        if (!(PickleReader.read(head, file, none::named) instanceof Dictionary machine)
                || !Boolean.TRUE.equals(machine.entries().get("little_endian"))) {
            throw malformed(file, "it was not written by a little-endian machine");
        }
        TorchStorages storages = new TorchStorages(file, 6);
        Object root = PickleReader.read(head, file, storages::named);
        Object keys = PickleReader.read(head, file, none::named);
        if (!(keys instanceof Sequence sequence)) {
            throw malformed(file, "its list of storages is " + PickleValue.kind(keys));
        }
        placeLegacy(storages, sequence.items(), channel, head.position(), file);
        storages.map(channel);
        return StateDict.of(root, file, WeightFormat.TORCH_LEGACY);
    }

    private static void placeLegacy(
            TorchStorages storages, List<Object> keys, FileChannel channel, long begin, String file)
            throws IOException {
        long position = begin;
        Set<Object> placed = new HashSet<>();
        for (Object key : keys) {
            TorchStorage storage = key instanceof String name ? storages.find(name) : null;
            if (storage == null) {
                throw malformed(file, "its list of storages names one that no tensor has");
            }
            if (!placed.add(key)) {
                throw malformed(file, "its list of storages names " + Text.quote(storage.key()) + " twice");
            }
            byte[] count = MappedRanges.read(channel, position, Long.BYTES);
            position += Long.BYTES;
            if (count.length < Long.BYTES
                    || ByteBuffer.wrap(count).order(ByteOrder.LITTLE_ENDIAN).getLong() != storage.elements()) {
                throw malformed(
                        file,
                        "storage " + Text.quote(storage.key()) + " does not begin with its length "
                                + storage.elements());
            }
            if (storage.byteCount() > channel.size() - position) {
                throw malformed(
                        file,
                        "storage " + Text.quote(storage.key()) + " has " + storage.byteCount() + " bytes, but only "
                                + (channel.size() - position) + " follow");
            }
            storages.place(storage, new Range(position, position + storage.byteCount()), 0);
            position += storage.byteCount();
        }
        if (placed.size() != storages.all().size()) {
            throw malformed(
                    file,
                    "its list of storages has " + placed.size() + " of "
                            + storages.all().size());
        }
        if (position != channel.size()) {
            throw malformed(file, "its last storage is followed by " + (channel.size() - position) + " bytes");
        }
    }

    static DataException malformed(String file, String why) {
        return new DataException("Cannot read " + file + " as a PyTorch file: " + why);
    }

    static DataException malformed(String file, String why, Throwable cause) {
        return new DataException("Cannot read " + file + " as a PyTorch file: " + why, cause);
    }
}
