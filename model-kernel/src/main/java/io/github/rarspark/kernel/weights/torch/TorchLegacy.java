package io.github.rarspark.kernel.weights.torch;

import io.github.rarspark.kernel.weights.format.FileContent;
import io.github.rarspark.kernel.weights.format.MappedRanges;
import io.github.rarspark.kernel.weights.format.MappedRanges.Range;
import io.github.rarspark.kernel.weights.format.Text;
import io.github.rarspark.kernel.weights.format.WeightFormat;
import io.github.rarspark.kernel.weights.torch.PickleValue.Dictionary;
import io.github.rarspark.kernel.weights.torch.PickleValue.Sequence;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What {@code torch.save} wrote of dictionaries of tensors before PyTorch 1.6: five consecutive pickles (magic number,
 * version, machine, the object, the list of storages), then each storage's length and data.
 */
public final class TorchLegacy implements WeightFormat {
    /** The format. */
    public static final TorchLegacy FORMAT = new TorchLegacy();

    /** The pickle of {@code 0x1950a86a20f9469cfc6c} that files begin with. */
    private static final byte[] MAGIC = {
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

    private static final long VERSION = 1001;
    private static final int HEAD = 4 * PickleReader.MOST_BYTES;

    private TorchLegacy() {}

    @Override
    public String name() {
        return "torch_legacy";
    }

    @Override
    public boolean matches(byte[] head) {
        return head.length >= MAGIC.length
                && ByteBuffer.wrap(head, 0, MAGIC.length).equals(ByteBuffer.wrap(MAGIC));
    }

    @Override
    public FileContent read(FileChannel channel, String file) throws IOException {
        long size = channel.size();
        ByteBuffer head = channel.map(MapMode.READ_ONLY, 0, Math.min(size, HEAD));
        head.position(MAGIC.length);
        TorchStorages none = new TorchStorages(file, 0);
        Object version = PickleReader.read(head, file, none::named);
        if (!Long.valueOf(VERSION).equals(version)) {
            throw TorchError.malformed(
                    file,
                    "it has the version "
                            + (version instanceof Long number ? number.toString() : PickleValue.kind(version))
                            + " instead of 1001");
        }
        if (!(PickleReader.read(head, file, none::named) instanceof Dictionary machine)
                || !Boolean.TRUE.equals(machine.entries().get("little_endian"))) {
            throw TorchError.malformed(file, "it was not written by a little-endian machine");
        }
        TorchStorages storages = new TorchStorages(file, 6);
        Object root = PickleReader.read(head, file, storages::named);
        Object keys = PickleReader.read(head, file, none::named);
        if (!(keys instanceof Sequence sequence)) {
            throw TorchError.malformed(file, "its list of storages is " + PickleValue.kind(keys));
        }
        place(storages, sequence.items(), channel, head.position(), file);
        storages.map(channel);
        return StateDict.of(root, file);
    }

    private static void place(TorchStorages storages, List<Object> keys, FileChannel channel, long begin, String file)
            throws IOException {
        long position = begin;
        Set<Object> placed = new HashSet<>();
        for (Object key : keys) {
            TorchStorage storage = key instanceof String name ? storages.find(name) : null;
            if (storage == null) {
                throw TorchError.malformed(file, "its list of storages names one that no tensor has");
            }
            if (!placed.add(key)) {
                throw TorchError.malformed(file, "its list of storages names " + Text.quote(storage.key()) + " twice");
            }
            byte[] count = MappedRanges.read(channel, position, Long.BYTES);
            position += Long.BYTES;
            if (count.length < Long.BYTES
                    || ByteBuffer.wrap(count).order(ByteOrder.LITTLE_ENDIAN).getLong() != storage.elements()) {
                throw TorchError.malformed(
                        file,
                        "storage " + Text.quote(storage.key()) + " does not begin with its length "
                                + storage.elements());
            }
            if (storage.byteCount() > channel.size() - position) {
                throw TorchError.malformed(
                        file,
                        "storage " + Text.quote(storage.key()) + " has " + storage.byteCount() + " bytes, but only "
                                + (channel.size() - position) + " follow");
            }
            storages.place(storage, new Range(position, position + storage.byteCount()), 0);
            position += storage.byteCount();
        }
        if (placed.size() != storages.all().size()) {
            throw TorchError.malformed(
                    file,
                    "its list of storages has " + placed.size() + " of "
                            + storages.all().size());
        }
        if (position != channel.size()) {
            throw TorchError.malformed(
                    file, "its last storage is followed by " + (channel.size() - position) + " bytes");
        }
    }
}
