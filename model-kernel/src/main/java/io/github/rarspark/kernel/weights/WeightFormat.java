package io.github.rarspark.kernel.weights;

import io.github.rarspark.kernel.error.DataException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;

/** The formats of weight files. A file's content tells which it has; its name does not matter. */
public enum WeightFormat {
    /** {@link Safetensors}. */
    SAFETENSORS("safetensors");

    private static final int HEAD = 16;

    private final String label;

    WeightFormat(String label) {
        this.label = label;
    }

    /** What messages call the format. */
    public String label() {
        return label;
    }

    /** Reads an open file. */
    static TensorFile read(FileChannel channel, String file) throws IOException {
        byte[] head = MappedRanges.read(channel, 0, HEAD);
        if (isSafetensors(head)) {
            return Safetensors.read(channel, file);
        }
        throw new DataException("Cannot read " + file + " as weights: it is no safetensors file");
    }

    /** A length below the format's limit, then the first byte of a json object. */
    private static boolean isSafetensors(byte[] head) {
        return head.length > SafetensorsHeader.PREFIX
                && ByteBuffer.wrap(head).order(ByteOrder.LITTLE_ENDIAN).getLong() >>> Integer.SIZE == 0
                && head[SafetensorsHeader.PREFIX] == '{';
    }
}
