package io.github.rarspark.kernel.weights.safetensors;

import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.weights.format.ElementType;
import io.github.rarspark.kernel.weights.format.TensorInfo;
import io.github.rarspark.kernel.weights.format.Text;
import io.github.rarspark.kernel.weights.format.WeightFormat;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The json header of a safetensors file: {@code {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
 * ..., "__metadata__": {"key": "value"}}}. A parsed header is valid: names are unique, and the tensors are contiguous
 * from the first data byte, each as long as its shape and type require.
 *
 * @param metadata the file's key-value metadata
 * @param entries the tensors in the order of their data
 */
record SafetensorsHeader(Map<String, String> metadata, List<Entry> entries) {
    static final String METADATA = "__metadata__";
    /** Bytes of the header's length at the start of a file. */
    static final int PREFIX = Long.BYTES;
    /** The longest accepted header; one of 20,000 tensors is shorter. */
    static final long LONGEST = 16 << 20;

    private static final JsonFactory JSON = JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES) // every name occurs once
            .build();

    /** A tensor and the half-open range of its bytes, counted from the end of the header. */
    record Entry(TensorInfo info, long begin, long end) {}

    /**
     * The header's length, from a file's first eight bytes.
     *
     * @throws DataException if it is outside the format's limits
     */
    static int length(byte[] prefix, String file) {
        if (prefix.length < PREFIX) {
            throw malformed(file, "it has only " + prefix.length + " bytes");
        }
        long length =
                ByteBuffer.wrap(prefix).order(java.nio.ByteOrder.LITTLE_ENDIAN).getLong();
        if (length < 2 || length > LONGEST) {
            throw malformed(
                    file, "its header claims " + Long.toUnsignedString(length) + " bytes, outside 2 to " + LONGEST);
        }
        return (int) length;
    }

    /** Bytes of data that follow the header. */
    long dataBytes() {
        return entries.isEmpty() ? 0 : entries.get(entries.size() - 1).end();
    }

    /**
     * Parses and validates a header.
     *
     * @throws DataException if it is malformed
     */
    static SafetensorsHeader parse(byte[] json, String file) {
        String text;
        try {
            text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(json))
                    .toString();
        } catch (CharacterCodingException e) {
            throw malformed(file, "its header is not UTF-8", e);
        }
        if (text.charAt(0) != '{') {
            throw malformed(file, "its header does not start with '{'");
        }
        Map<String, String> metadata = new LinkedHashMap<>();
        List<Entry> entries = new ArrayList<>();
        try (JsonParser parser = JSON.createParser(text)) {
            parser.nextToken();
            while (parser.nextToken() != JsonToken.END_OBJECT) {
                String name = parser.currentName();
                if (name.equals(METADATA)) {
                    readMetadata(parser, file, metadata);
                } else {
                    expect(
                            entries.size() < WeightFormat.MOST_TENSORS,
                            file,
                            "it has more than " + WeightFormat.MOST_TENSORS + " tensors");
                    entries.add(readEntry(parser, file, name));
                }
            }
            if (parser.nextToken() != null) {
                throw malformed(file, "its header continues after the closing brace");
            }
        } catch (JsonProcessingException e) {
            throw malformed(file, "its header is not valid json: " + Text.line(e.getOriginalMessage()), e);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
        entries.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
        checkContiguous(entries, file);
        return new SafetensorsHeader(metadata, List.copyOf(entries));
    }

    private static void readMetadata(JsonParser parser, String file, Map<String, String> metadata) throws IOException {
        expect(parser.nextToken() == JsonToken.START_OBJECT, file, METADATA + " is not an object");
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String key = parser.currentName();
            expect(
                    parser.nextToken() == JsonToken.VALUE_STRING,
                    file,
                    METADATA + " value " + Text.quote(key) + " is not a string");
            metadata.put(key, parser.getText());
        }
    }

    private static Entry readEntry(JsonParser parser, String file, String name) throws IOException {
        String tensor = "tensor " + Text.quote(name);
        expect(parser.nextToken() == JsonToken.START_OBJECT, file, tensor + " is not an object");
        ElementType type = null;
        long[] shape = null;
        long[] offsets = null;
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String field = parser.currentName();
            JsonToken value = parser.nextToken();
            switch (field) {
                case "dtype" -> {
                    expect(value == JsonToken.VALUE_STRING, file, tensor + " has a dtype that is not a string");
                    type = type(parser.getText(), file, tensor);
                }
                case "shape" -> shape = readSizes(parser, file, tensor + ", shape");
                case "data_offsets" -> offsets = readSizes(parser, file, tensor + ", data_offsets");
                default -> throw malformed(file, tensor + " has an unknown field " + Text.quote(field));
            }
        }
        expect(type != null, file, tensor + " has no dtype");
        expect(shape != null, file, tensor + " has no shape");
        expect(offsets != null, file, tensor + " has no data_offsets");
        expect(offsets.length == 2, file, tensor + " has " + offsets.length + " data_offsets instead of 2");
        if (offsets[0] > offsets[1]) {
            throw malformed(file, tensor + " ends at " + offsets[1] + ", before it begins at " + offsets[0]);
        }
        TensorInfo info;
        try {
            info = new TensorInfo(name, type, new Shape(shape));
        } catch (DataException e) {
            throw malformed(file, e.getMessage(), e);
        }
        if (info.bytes() != offsets[1] - offsets[0]) {
            throw malformed(
                    file,
                    tensor + " of " + type + info.shape() + " needs " + info.bytes() + " bytes but has "
                            + (offsets[1] - offsets[0]));
        }
        return new Entry(info, offsets[0], offsets[1]);
    }

    private static ElementType type(String name, String file, String tensor) {
        for (ElementType type : ElementType.values()) {
            if (type.name().equals(name)) {
                return type;
            }
        }
        throw malformed(
                file,
                tensor + " has dtype " + Text.quote(name) + "; known are " + Arrays.toString(ElementType.values()));
    }

    private static long[] readSizes(JsonParser parser, String file, String what) throws IOException {
        expect(parser.currentToken() == JsonToken.START_ARRAY, file, what + " is not an array");
        long[] sizes = new long[4];
        int count = 0;
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            if (parser.currentToken() != JsonToken.VALUE_NUMBER_INT
                    || parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER
                    || parser.getLongValue() < 0) {
                throw malformed(file, what + " holds " + Text.quote(parser.getText()) + ", which is not a size");
            }
            if (count == sizes.length) {
                sizes = Arrays.copyOf(sizes, 2 * count);
            }
            sizes[count++] = parser.getLongValue();
        }
        return Arrays.copyOf(sizes, count);
    }

    private static void checkContiguous(List<Entry> entries, String file) {
        long position = 0;
        for (Entry entry : entries) {
            if (entry.begin() != position) {
                throw malformed(
                        file,
                        "tensor " + Text.quote(entry.info().name()) + " begins at byte " + entry.begin()
                                + " of the data, but the tensor before it ends at " + position);
            }
            position = entry.end();
        }
    }

    private static void expect(boolean condition, String file, String otherwise) {
        if (!condition) {
            throw malformed(file, otherwise);
        }
    }

    static DataException malformed(String file, String why) {
        return new DataException("Cannot read " + file + " as safetensors: " + why);
    }

    static DataException malformed(String file, String why, Throwable cause) {
        return new DataException("Cannot read " + file + " as safetensors: " + why, cause);
    }
}
