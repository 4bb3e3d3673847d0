package io.github.rarspark.kernel.weights;

import ai.djl.ndarray.NDArray;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.weights.MappedRanges.Range;
import io.github.rarspark.kernel.weights.SafetensorsHeader.Entry;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Reads and writes safetensors files: eight bytes header length (little-endian), a json header, and the tensors' data. A
 * reader touches nothing of the data before it has checked the header in full.
 */
public final class Safetensors {
    private Safetensors() {}

    /**
     * Maps a local file into memory; its pages are read when a tensor is used. The file must not be written to while
     * its tensors are in use.
     *
     * @throws DataException if the file breaks the format
     * @throws IOException if it cannot be read
     */
    public static TensorFile read(Path path) throws IOException {
        return MappedRanges.inFile(path, channel -> read(channel, path.toString()));
    }

    /**
     * Reads a whole stream. It goes to a temporary file that is mapped into memory and then deleted, so the tensors take
     * neither heap nor more memory than the stream has bytes, whatever its header claims.
     *
     * @param file what messages call the stream
     * @throws DataException if the stream breaks the format
     * @throws IOException if it cannot be read, or the temporary folder cannot hold it
     */
    public static TensorFile read(InputStream in, String file) throws IOException {
        return MappedRanges.inTemporaryFile(in, channel -> read(channel, file));
    }

    /** Checks the header, then maps the data. */
    static TensorFile read(FileChannel channel, String file) throws IOException {
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
        return new TensorFile(file, WeightFormat.SAFETENSORS, header.metadata(), tensors);
    }

    /**
     * Writes tensors in the map's order; see {@link SafetensorsWriter}.
     *
     * @param metadata key-value text for the file's readers; may be empty
     * @throws IOException if the stream cannot be written to; it stays open
     */
    public static void write(OutputStream out, Map<String, String> metadata, Map<String, NDArray> tensors)
            throws IOException {
        List<TensorInfo> infos = new ArrayList<>();
        tensors.forEach((name, tensor) ->
                infos.add(new TensorInfo(name, ElementType.of(tensor.getDataType()), tensor.getShape())));
        SafetensorsWriter writer = new SafetensorsWriter(out, metadata, infos);
        for (Map.Entry<String, NDArray> entry : tensors.entrySet()) {
            writer.write(entry.getKey(), entry.getValue());
        }
        writer.finish();
    }

    private static void checkLength(TensorInfo tensor, String file) {
        if (tensor.bytes() > Integer.MAX_VALUE) {
            throw new DataException("Cannot read tensor " + Text.quote(tensor.name()) + " of " + file + ": "
                    + tensor.bytes() + " bytes are more than the 2 GiB that one tensor may have");
        }
    }
}
