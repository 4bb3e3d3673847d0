package io.github.rarspark.kernel.weights.torch;

import io.github.rarspark.kernel.weights.format.TensorInfo;
import io.github.rarspark.kernel.weights.format.TensorWriter;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32;

/**
 * Writes a state dict as {@code torch.save} does: a zip archive of stored (uncompressed) entries whose data is aligned
 * to 64 bytes, with data descriptors and ZIP64 records. {@code torch.load(weights_only=True)} reads it.
 */
final class TorchWriter extends TensorWriter {
    private static final String FOLDER = "archive/";
    private static final int ALIGNMENT = 64;
    /** Sizes and CRC follow the data; names are UTF-8. */
    private static final short FLAGS = 0x0808;
    /** The first day of the format's calendar, so that equal tensors give equal files. */
    private static final short DATE = 1 << 5 | 1;
    /** Version 4.5 of the format, which has ZIP64. */
    private static final short VERSION = 45;

    private static final int LARGEST_32 = 0xffff_ffff;

    private final List<Written> entries = new ArrayList<>();

    private record Written(byte[] name, long header, long bytes, int crc) {}

    TorchWriter(OutputStream out, List<TensorInfo> tensors) throws IOException {
        super(out, tensors);
        entry("data.pkl", ByteBuffer.wrap(TorchPickle.of(tensors)));
        entry("byteorder", ascii("little"));
    }

    @Override
    protected void writeData(int index, ByteBuffer data) throws IOException {
        entry("data/" + index, data);
    }

    @Override
    protected void writeEnd() throws IOException {
        entry("version", ascii("3\n"));
        long begin = position();
        for (Written entry : entries) {
            directoryEntry(entry);
        }
        end(begin, position() - begin);
    }

    private static ByteBuffer ascii(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
    }

    private void entry(String name, ByteBuffer data) throws IOException {
        byte[] path = (FOLDER + name).getBytes(StandardCharsets.UTF_8);
        long header = position();
        int fixed = 30 + path.length + 4;
        int padding = Math.floorMod(-(header + fixed), ALIGNMENT);
        put(record(fixed + padding)
                .putInt(0x04034b50)
                .putShort(VERSION)
                .putShort(FLAGS)
                .putShort((short) 0) // stored
                .putShort((short) 0) // midnight
                .putShort(DATE)
                .putInt(0) // CRC and sizes follow
                .putInt(0)
                .putInt(0)
                .putShort((short) path.length)
                .putShort((short) (4 + padding))
                .put(path)
                .putShort((short) 0x4246) // a field that readers skip, as PyTorch's padding
                .putShort((short) padding)
                .rewind());
        int bytes = data.remaining();
        CRC32 crc = new CRC32();
        crc.update(data.duplicate());
        put(data);
        put(record(16)
                .putInt(0x08074b50)
                .putInt((int) crc.getValue())
                .putInt(bytes)
                .putInt(bytes)
                .rewind());
        entries.add(new Written(path, header, bytes, (int) crc.getValue()));
    }

    private void directoryEntry(Written entry) throws IOException {
        boolean far = entry.header() >= Integer.toUnsignedLong(LARGEST_32);
        ByteBuffer record = record(46 + entry.name().length + (far ? 12 : 0))
                .putInt(0x02014b50)
                .putShort(VERSION)
                .putShort(VERSION)
                .putShort(FLAGS)
                .putShort((short) 0)
                .putShort((short) 0)
                .putShort(DATE)
                .putInt(entry.crc())
                .putInt((int) entry.bytes())
                .putInt((int) entry.bytes())
                .putShort((short) entry.name().length)
                .putShort((short) (far ? 12 : 0))
                .putShort((short) 0) // no comment
                .putShort((short) 0) // first part
                .putShort((short) 0) // attributes
                .putInt(0)
                .putInt(far ? LARGEST_32 : (int) entry.header())
                .put(entry.name());
        if (far) {
            record.putShort((short) 1).putShort((short) Long.BYTES).putLong(entry.header());
        }
        put(record.rewind());
    }

    private void end(long directory, long bytes) throws IOException {
        long end64 = position();
        put(record(56)
                .putInt(0x06064b50)
                .putLong(44) // the rest of this record
                .putShort(VERSION)
                .putShort(VERSION)
                .putInt(0)
                .putInt(0)
                .putLong(entries.size())
                .putLong(entries.size())
                .putLong(bytes)
                .putLong(directory)
                .rewind());
        put(record(20).putInt(0x07064b50).putInt(0).putLong(end64).putInt(1).rewind());
        short count = (short) Math.min(entries.size(), 0xffff);
        put(record(22)
                .putInt(0x06054b50)
                .putShort((short) 0)
                .putShort((short) 0)
                .putShort(count)
                .putShort(count)
                .putInt(saturated(bytes))
                .putInt(saturated(directory))
                .putShort((short) 0)
                .rewind());
    }

    private static int saturated(long value) {
        return value >= Integer.toUnsignedLong(LARGEST_32) ? LARGEST_32 : (int) value;
    }

    private static ByteBuffer record(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}
