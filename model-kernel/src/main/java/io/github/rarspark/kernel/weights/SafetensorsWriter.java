package io.github.rarspark.kernel.weights;

import ai.djl.ndarray.NDArray;
import com.fasterxml.jackson.core.JsonEncoding;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.WritableByteChannel;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Writes a safetensors file tensor by tensor, holding only one at a time: the constructor writes the header,
 * {@link #write} the data in the header's order, and {@link #finish} checks that nothing is missing. The same input
 * gives the same bytes: metadata is sorted by key, tensors keep the order they are given in, and the header is padded
 * with spaces to a multiple of eight bytes. The stream stays open.
 */
public final class SafetensorsWriter {
    private final OutputStream out;
    private final WritableByteChannel channel;
    private final List<TensorInfo> tensors;
    private int written;

    /**
     * Writes the header.
     *
     * @param metadata key-value text for the file's readers; may be empty
     * @param tensors all tensors that will follow, in their order
     * @throws IllegalArgumentException if two tensors have one name, or one has the name that the format reserves
     */
    public SafetensorsWriter(OutputStream out, Map<String, String> metadata, List<TensorInfo> tensors)
            throws IOException {
        this.out = out;
        this.channel = Channels.newChannel(out);
        this.tensors = List.copyOf(tensors);
        byte[] json = header(new TreeMap<>(metadata), this.tensors);
        byte[] padded = Arrays.copyOf(json, (json.length + 7) / 8 * 8);
        Arrays.fill(padded, json.length, padded.length, (byte) ' ');
        out.write(ByteBuffer.allocate(SafetensorsHeader.PREFIX)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(padded.length)
                .array());
        out.write(padded);
    }

    /**
     * Writes the next tensor.
     *
     * @param data its remaining bytes, little-endian and row-major
     * @throws IllegalArgumentException if it is not this tensor's turn, or it has another length than announced
     */
    public void write(String name, ByteBuffer data) throws IOException {
        if (written == tensors.size()) {
            throw new IllegalArgumentException("Cannot write tensor '" + name + "': all were written");
        }
        TensorInfo next = tensors.get(written);
        if (!next.name().equals(name)) {
            throw new IllegalArgumentException(
                    "Cannot write tensor '" + name + "': the next of the header is '" + next.name() + "'");
        }
        if (data.remaining() != next.bytes()) {
            throw new IllegalArgumentException(
                    "Cannot write tensor '" + name + "': " + data.remaining() + " bytes instead of " + next.bytes());
        }
        ByteBuffer bytes = data.duplicate();
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
        written++;
    }

    /** Writes the next tensor from a tensor in memory, as {@link #write(String, ByteBuffer)}. */
    public void write(String name, NDArray tensor) throws IOException {
        write(name, tensor.toByteBuffer());
    }

    /**
     * Ends the file and flushes the stream.
     *
     * @throws IllegalStateException if a tensor of the header was not written
     */
    public void finish() throws IOException {
        if (written < tensors.size()) {
            throw new IllegalStateException("The file ends before tensor '"
                    + tensors.get(written).name() + "', number " + (written + 1) + " of " + tensors.size());
        }
        out.flush();
    }

    private static byte[] header(Map<String, String> metadata, List<TensorInfo> tensors) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JsonGenerator json = new JsonFactory().createGenerator(bytes, JsonEncoding.UTF8)) {
            json.writeStartObject();
            if (!metadata.isEmpty()) {
                json.writeObjectFieldStart(SafetensorsHeader.METADATA);
                for (Map.Entry<String, String> entry : metadata.entrySet()) {
                    json.writeStringField(entry.getKey(), entry.getValue());
                }
                json.writeEndObject();
            }
            Set<String> names = new HashSet<>(Set.of(SafetensorsHeader.METADATA));
            long position = 0;
            for (TensorInfo tensor : tensors) {
                if (!names.add(tensor.name())) {
                    throw new IllegalArgumentException("Cannot write two tensors named '" + tensor.name() + "'");
                }
                json.writeObjectFieldStart(tensor.name());
                json.writeStringField("dtype", tensor.type().name());
                json.writeFieldName("shape");
                long[] shape = tensor.shape().getShape();
                json.writeArray(shape, 0, shape.length);
                json.writeFieldName("data_offsets");
                json.writeArray(new long[] {position, position + tensor.bytes()}, 0, 2);
                json.writeEndObject();
                position += tensor.bytes();
            }
            json.writeEndObject();
        }
        return bytes.toByteArray();
    }
}
