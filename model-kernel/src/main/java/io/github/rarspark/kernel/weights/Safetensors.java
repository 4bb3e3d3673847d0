package io.github.rarspark.kernel.weights;

import ai.djl.ndarray.NDArray;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.weights.SafetensorsHeader.Entry;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads and writes safetensors files: eight bytes header length (little-endian), a json header, and the tensors' data. A reader
 * touches nothing of the data before it has checked the header in full.
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
    public static SafetensorsFile read(Path path) throws IOException {
        String file = path.toString();
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            InputStream in = Channels.newInputStream(channel);
            int length = SafetensorsHeader.length(in.readNBytes(SafetensorsHeader.PREFIX), file);
            SafetensorsHeader header = header(in, length, file);
            long start = SafetensorsHeader.PREFIX + (long) length;
            return map(channel, start, header, file);
        }
    }

    /**
     * Reads a whole stream. Its data goes to a temporary file that is mapped into memory and then deleted, so the tensors
     * take neither heap nor more memory than the stream has bytes, whatever its header claims.
     *
     * @param file what messages call the stream
     * @throws DataException if the stream breaks the format
     * @throws IOException if it cannot be read, or the temporary folder cannot hold its data
     */
    public static SafetensorsFile read(InputStream in, String file) throws IOException {
        int length = SafetensorsHeader.length(in.readNBytes(SafetensorsHeader.PREFIX), file);
        SafetensorsHeader header = header(in, length, file);
        Path data = Files.createTempFile("tensors", ".bin");
        try (FileChannel channel = FileChannel.open(
                data, StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.DELETE_ON_CLOSE)) {
            in.transferTo(Channels.newOutputStream(channel));
            return map(channel, 0, header, file);
        } finally {
            Files.deleteIfExists(data);
        }
    }

    private static SafetensorsFile map(FileChannel channel, long start, SafetensorsHeader header, String file)
            throws IOException {
        long present = channel.size() - start;
        if (present != header.dataBytes()) {
            throw SafetensorsHeader.malformed(
                    file, "its header describes " + header.dataBytes() + " bytes of data, but " + present + " follow");
        }
        Map<String, ByteBuffer> data = new LinkedHashMap<>();
        for (Entry entry : header.entries()) {
            int bytes = byteCount(entry, file);
            data.put(
                    entry.info().name(),
                    bytes == 0
                            ? ByteBuffer.allocateDirect(0)
                            : channel.map(MapMode.READ_ONLY, start + entry.begin(), bytes));
        }
        return new SafetensorsFile(file, header, data);
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

    private static SafetensorsHeader header(InputStream in, int length, String file) throws IOException {
        byte[] json = in.readNBytes(length);
        if (json.length < length) {
            throw SafetensorsHeader.malformed(
                    file, "its header claims " + length + " bytes, but only " + json.length + " follow");
        }
        return SafetensorsHeader.parse(json, file);
    }

    private static int byteCount(Entry entry, String file) {
        long bytes = entry.info().bytes();
        if (bytes > Integer.MAX_VALUE) {
            throw new DataException(
                    "Cannot read tensor " + Text.quote(entry.info().name()) + " of " + file + ": " + bytes
                            + " bytes are more than the 2 GiB that one tensor may have");
        }
        return (int) bytes;
    }
}
