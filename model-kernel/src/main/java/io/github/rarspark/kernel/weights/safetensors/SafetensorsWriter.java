package io.github.rarspark.kernel.weights.safetensors;

import com.fasterxml.jackson.core.JsonEncoding;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.github.rarspark.kernel.weights.format.TensorInfo;
import io.github.rarspark.kernel.weights.format.TensorWriter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Writes a safetensors file. Metadata is sorted by key, tensors keep their order, and the header is padded with spaces
 * to a multiple of eight bytes.
 */
final class SafetensorsWriter extends TensorWriter {
    /**
     * Writes the header.
     *
     * @param metadata key-value metadata; may be empty
     * @param tensors all tensors that will follow, in order
     * @throws IllegalArgumentException if two tensors have the same name, or one has the reserved name
     */
    SafetensorsWriter(OutputStream out, Map<String, String> metadata, List<TensorInfo> tensors) throws IOException {
        super(out, tensors);
        byte[] json = header(new TreeMap<>(metadata), tensors);
        byte[] padded = Arrays.copyOf(json, (json.length + 7) / 8 * 8);
        Arrays.fill(padded, json.length, padded.length, (byte) ' ');
        put(ByteBuffer.allocate(SafetensorsHeader.PREFIX)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(0, padded.length));
        put(ByteBuffer.wrap(padded));
    }

    @Override
    protected void writeData(int index, ByteBuffer data) throws IOException {
        put(data);
    }

    @Override
    protected void writeEnd() {
        // The data is the last part of the format.
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
            long position = 0;
            for (TensorInfo tensor : tensors) {
                if (tensor.name().equals(SafetensorsHeader.METADATA)) {
                    throw new IllegalArgumentException(
                            "Cannot write a tensor named '" + tensor.name() + "': safetensors reserves the name");
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
