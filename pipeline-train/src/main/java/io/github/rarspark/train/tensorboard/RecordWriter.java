package io.github.rarspark.train.tensorboard;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/**
 * Writes TFRecords: length (uint64), masked CRC-32C of the length, data, masked CRC-32C of the data, all little-endian
 * (TensorFlow, {@code core/lib/io/record_writer.h}).
 */
public final class RecordWriter {
    private static final int MASK_ROTATION = 15;
    private static final int MASK_DELTA = 0xa282ead8;

    private final OutputStream out;

    /** Creates a writer to a stream that the caller closes. */
    public RecordWriter(OutputStream out) {
        this.out = out;
    }

    /** Writes a record. */
    public void write(byte[] data) throws IOException {
        byte[] length = littleEndian(Long.BYTES).putLong(data.length).array();
        out.write(length);
        out.write(checksum(length));
        out.write(data);
        out.write(checksum(data));
    }

    private static byte[] checksum(byte[] data) {
        CRC32C crc = new CRC32C();
        crc.update(data);
        return littleEndian(Integer.BYTES).putInt(masked((int) crc.getValue())).array();
    }

    /** Masked, because the CRC of data that contains CRCs is weak. */
    static int masked(int crc) {
        return Integer.rotateRight(crc, MASK_ROTATION) + MASK_DELTA;
    }

    private static ByteBuffer littleEndian(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }
}
