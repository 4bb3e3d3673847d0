package io.github.rarspark.kernel.weights;

import io.github.rarspark.kernel.error.DataException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;

/** The formats of weight files. A file's content tells which it has; its name does not matter. */
public enum WeightFormat {
    /** {@link Safetensors}. */
    SAFETENSORS("safetensors"),
    /** {@code torch.save} since PyTorch 1.6: a zip archive. */
    TORCH_ZIP("PyTorch zip"),
    /** {@code torch.save} before PyTorch 1.6. */
    TORCH_LEGACY("PyTorch before 1.6");

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
        if (TorchFiles.isZip(head)) {
            return TorchFiles.readZip(channel, file);
        }
        if (TorchFiles.isLegacy(head)) {
            return TorchFiles.readLegacy(channel, file);
        }
        throw new DataException("Cannot read " + file + " as weights: " + guess(head));
    }

    /** A length below the format's limit, then the first byte of a json object. */
    private static boolean isSafetensors(byte[] head) {
        return head.length > SafetensorsHeader.PREFIX
                && ByteBuffer.wrap(head).order(ByteOrder.LITTLE_ENDIAN).getLong() >>> Integer.SIZE == 0
                && head[SafetensorsHeader.PREFIX] == '{';
    }

    /** What a file of no known format probably is. */
    private static String guess(byte[] head) {
        String text = new String(head, StandardCharsets.ISO_8859_1);
        if (head.length == 0) {
            return "it is empty";
        } else if (text.startsWith("version https:")) {
            return "it is a pointer of Git LFS; fetch the file that it stands for";
        } else if (text.startsWith("<")) {
            return "it is a web page; the download failed";
        } else if (text.startsWith("\u001f\u008b")) {
            return "it is compressed with gzip; unpack it first";
        } else if (head[0] == (byte) 0x80) {
            return "it is a pickle that torch.save did not write";
        }
        return "it is neither a safetensors file nor one of torch.save";
    }
}
