package io.github.rarspark.kernel.weights.torch;

import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.weights.format.ElementType;
import io.github.rarspark.kernel.weights.format.Text;
import java.nio.ByteBuffer;
import java.util.zip.CRC32;

/** The storage of tensors in a PyTorch file. The pickle names it; its bytes are located later. */
final class TorchStorage {
    private final String key;
    private final ElementType type;
    private final long elements;
    private ByteBuffer bytes;
    private int crc;
    private String file;
    private volatile boolean verified;

    TorchStorage(String key, ElementType type, long elements) {
        this.key = key;
        this.type = type;
        this.elements = elements;
    }

    String key() {
        return key;
    }

    ElementType type() {
        return type;
    }

    long elements() {
        return elements;
    }

    long byteCount() {
        return elements * type.bytes();
    }

    /**
     * Attaches the bytes.
     *
     * @param crc their CRC-32, or 0 if it is not known
     * @param file the file's name in messages
     */
    void attach(ByteBuffer bytes, int crc, String file) {
        this.bytes = bytes;
        this.crc = crc;
        this.file = file;
        this.verified = crc == 0;
    }

    /**
     * The bytes. Their CRC is checked on first use, so that opening a file does not read its data.
     *
     * @throws DataException if they do not match their CRC
     */
    ByteBuffer bytes() {
        if (!verified) {
            CRC32 computed = new CRC32();
            computed.update(bytes.duplicate());
            if ((int) computed.getValue() != crc) {
                throw TorchError.malformed(
                        file, "storage " + Text.quote(key) + " does not match its CRC in the archive");
            }
            verified = true;
        }
        return bytes;
    }
}
