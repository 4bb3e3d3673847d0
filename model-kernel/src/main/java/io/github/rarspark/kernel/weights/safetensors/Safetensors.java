package io.github.rarspark.kernel.weights.safetensors;

import ai.djl.ndarray.NDArray;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.weights.format.ElementType;
import io.github.rarspark.kernel.weights.format.FileContent;
import io.github.rarspark.kernel.weights.format.MappedRanges;
import io.github.rarspark.kernel.weights.format.MappedRanges.Range;
import io.github.rarspark.kernel.weights.format.StoredTensor;
import io.github.rarspark.kernel.weights.format.TensorInfo;
import io.github.rarspark.kernel.weights.format.TensorWriter;
import io.github.rarspark.kernel.weights.format.Text;
import io.github.rarspark.kernel.weights.format.WritableFormat;
import io.github.rarspark.kernel.weights.safetensors.SafetensorsHeader.Entry;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The safetensors format: the header's length (eight bytes, little-endian), a JSON header, and the tensors' data. No
 * data is read before the whole header has been validated.
 */
public final class Safetensors implements WritableFormat {
    /** The format. */
    public static final Safetensors FORMAT = new Safetensors();

    private Safetensors() {}

    /**
     * Writes tensors in the map's order; see {@link #begin}.
     *
     * @throws IOException if the stream cannot be written to; it stays open
     */
    public static void write(OutputStream out, Map<String, String> metadata, Map<String, NDArray> tensors)
            throws IOException {
        List<TensorInfo> infos = new ArrayList<>();
        tensors.forEach((name, tensor) ->
                infos.add(new TensorInfo(name, ElementType.of(tensor.getDataType()), tensor.getShape())));
        TensorWriter writer = FORMAT.begin(out, metadata, infos);
        for (Map.Entry<String, NDArray> entry : tensors.entrySet()) {
            writer.write(entry.getKey(), entry.getValue());
        }
        writer.finish();
    }

    @Override
    public String name() {
        return "safetensors";
    }

    /** A length within the format's limit, followed by the start of a JSON object. */
    @Override
    public boolean matches(byte[] head) {
        return head.length > SafetensorsHeader.PREFIX
                && ByteBuffer.wrap(head).order(ByteOrder.LITTLE_ENDIAN).getLong() >>> Integer.SIZE == 0
                && head[SafetensorsHeader.PREFIX] == '{';
    }

    @Override
    public TensorWriter begin(OutputStream out, Map<String, String> metadata, List<TensorInfo> tensors)
            throws IOException {
        return new SafetensorsWriter(out, metadata, tensors);
    }

    @Override
    public FileContent read(FileChannel channel, String file) throws IOException {
        int length = SafetensorsHeader.length(MappedRanges.read(channel, 0, SafetensorsHeader.PREFIX), file);
        byte[] json = MappedRanges.read(channel, SafetensorsHeader.PREFIX, length);
        if (json.length < length) {
            throw SafetensorsHeader.malformed(
                    file, "its header claims " + length + " bytes, but only " + json.length + " follow");
        }
        SafetensorsHeader header = SafetensorsHeader.parse(json, file);
        long start = SafetensorsHeader.PREFIX + (long) length;
        long present = channel.size() - start;
        if (present != header.dataBytes()) {
            throw SafetensorsHeader.malformed(
                    file, "its header describes " + header.dataBytes() + " bytes of data, but " + present + " follow");
        }
        List<Range> ranges = new ArrayList<>();
        for (Entry entry : header.entries()) {
            checkLength(entry.info(), file);
            ranges.add(new Range(start + entry.begin(), start + entry.end()));
        }
        List<ByteBuffer> data = MappedRanges.map(channel, ranges);
        List<StoredTensor> tensors = new ArrayList<>();
        for (Entry entry : header.entries()) {
            tensors.add(StoredTensor.contiguous(entry.info(), data.get(tensors.size())));
        }
        return new FileContent(header.metadata(), tensors);
    }

    private static void checkLength(TensorInfo tensor, String file) {
        if (tensor.bytes() > Integer.MAX_VALUE) {
            throw new DataException("Cannot read tensor " + Text.quote(tensor.name()) + " of " + file + ": "
                    + tensor.bytes() + " bytes exceed the limit of 2 GiB per tensor");
        }
    }
}
