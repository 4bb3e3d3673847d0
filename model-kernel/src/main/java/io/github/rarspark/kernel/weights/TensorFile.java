package io.github.rarspark.kernel.weights;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.tensor.TensorScope;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The tensors of a weight file whose structure has been checked. Immutable; needs no closing. */
public final class TensorFile {
    /** The most tensors of a file: their names and shapes are in the heap. */
    static final int MOST_TENSORS = 20_000;
    /** How many elements are converted at a time: what conversions take of the heap. */
    private static final int CHUNK = 1 << 20;

    private final String file;
    private final WeightFormat format;
    private final Map<String, String> metadata;
    private final Map<String, TensorInfo> tensors;
    private final Map<String, StoredTensor> stored;

    TensorFile(String file, WeightFormat format, Map<String, String> metadata, List<StoredTensor> stored) {
        this.file = file;
        this.format = format;
        this.metadata = Collections.unmodifiableMap(metadata);
        Map<String, TensorInfo> infos = new LinkedHashMap<>();
        Map<String, StoredTensor> byName = new LinkedHashMap<>();
        for (StoredTensor tensor : stored) {
            infos.put(tensor.info().name(), tensor.info());
            byName.put(tensor.info().name(), tensor);
        }
        this.tensors = Collections.unmodifiableMap(infos);
        this.stored = byName;
    }

    /**
     * Opens a local file in any {@linkplain WeightFormat format}, which its content tells. It is mapped into memory, and
     * its pages are read when a tensor is used; it must not be written to while its tensors are in use.
     *
     * @throws DataException if the file has no known format or breaks it
     * @throws IOException if it cannot be read
     */
    public static TensorFile open(Path path) throws IOException {
        return MappedRanges.inFile(path, channel -> WeightFormat.read(channel, path.toString()));
    }

    /**
     * Reads a whole stream in any format, as {@link #open(Path)}. It goes to a temporary file that is mapped into memory
     * and then deleted, so the tensors take neither heap nor more memory than the stream has bytes.
     *
     * @param file what messages call the stream
     * @throws DataException if the stream has no known format or breaks it
     * @throws IOException if it cannot be read, or the temporary folder cannot hold it
     */
    public static TensorFile open(InputStream in, String file) throws IOException {
        return MappedRanges.inTemporaryFile(in, channel -> WeightFormat.read(channel, file));
    }

    /** What messages call this file. */
    public String file() {
        return file;
    }

    /** The format the file has. */
    public WeightFormat format() {
        return format;
    }

    /** The file's own key-value text; empty if it has none. */
    public Map<String, String> metadata() {
        return metadata;
    }

    /** The names of the tensors, in the order of their data. */
    public Set<String> names() {
        return tensors.keySet();
    }

    /** All tensors by name, in the order of their data. */
    public Map<String, TensorInfo> tensors() {
        return tensors;
    }

    /**
     * Type and shape of a tensor.
     *
     * @throws DataException if the file has no tensor of this name
     */
    public TensorInfo tensor(String name) {
        TensorInfo info = tensors.get(name);
        if (info == null) {
            throw new DataException("No tensor " + Text.quote(name) + " in " + file + "; it has " + tensors.size()
                    + (tensors.isEmpty()
                            ? ""
                            : ", the first is " + Text.quote(names().iterator().next())));
        }
        return info;
    }

    /**
     * The shape of a tensor.
     *
     * @throws DataException if the file has no tensor of this name
     */
    public Shape shape(String name) {
        return tensor(name).shape();
    }

    /**
     * The bytes of a tensor, row-major, read-only, little-endian, outside the heap.
     *
     * @throws DataException if the file has no tensor of this name, or the bytes do not have the file's checksum
     */
    public ByteBuffer data(String name) {
        tensor(name);
        return stored.get(name).data();
    }

    /**
     * The bytes of a tensor as {@link #data(String)}, converted to another type: of the nearest values, ties to even.
     *
     * @throws DataException if there is no such tensor, or one of the two types is not F32, F16 or BF16
     */
    public ByteBuffer data(String name, ElementType type) {
        TensorInfo info = tensor(name);
        if (info.type() == type) {
            return data(name);
        }
        requireFloats(info);
        ByteBuffer source = data(name);
        ByteBuffer converted = ByteBuffer.allocateDirect(Math.toIntExact(info.elements() * type.bytes()))
                .order(ByteOrder.LITTLE_ENDIAN);
        float[] value = new float[1];
        while (source.hasRemaining()) {
            read(info.type(), source, value, 1);
            switch (type) {
                case F32 -> converted.putFloat(value[0]);
                case F16 -> converted.putShort(HalfPrecision.fromFloat(value[0]));
                case BF16 -> converted.putShort(HalfPrecision.toBfloat16(value[0]));
                default -> throw unsuited(info, type.name());
            }
        }
        return converted.flip();
    }

    /**
     * The elements of a tensor of F32, F16 or BF16, row-major.
     *
     * @throws DataException if there is no such tensor or it has another type
     */
    public float[] floats(String name) {
        TensorInfo info = tensor(name);
        requireFloats(info);
        float[] values = new float[(int) info.elements()];
        read(info.type(), data(name), values, values.length);
        return values;
    }

    /** The next {@code count} elements of a tensor of F32, F16 or BF16. */
    private static void read(ElementType type, ByteBuffer bytes, float[] values, int count) {
        switch (type) {
            case F16 -> {
                for (int i = 0; i < count; i++) {
                    values[i] = HalfPrecision.toFloat(bytes.getShort());
                }
            }
            case BF16 -> {
                for (int i = 0; i < count; i++) {
                    values[i] = Float.intBitsToFloat(bytes.getShort() << 16);
                }
            }
            default -> {
                bytes.asFloatBuffer().get(values, 0, count);
                bytes.position(bytes.position() + count * Float.BYTES);
            }
        }
    }

    private void requireFloats(TensorInfo info) {
        if (!info.type().isFloat()) {
            throw unsuited(info, "F32, F16 or BF16");
        }
    }

    /**
     * The elements of a tensor of F64, F32, F16 or BF16, row-major.
     *
     * @throws DataException if there is no such tensor or it has another type
     */
    public double[] doubles(String name) {
        TensorInfo info = tensor(name);
        double[] values = new double[(int) info.elements()];
        if (info.type() == ElementType.F64) {
            data(name).asDoubleBuffer().get(values);
        } else {
            float[] floats = floats(name);
            for (int i = 0; i < values.length; i++) {
                values[i] = floats[i];
            }
        }
        return values;
    }

    /**
     * The elements of a tensor of integers or truth values, row-major.
     *
     * @throws DataException if there is no such tensor or it has another type
     */
    public long[] longs(String name) {
        TensorInfo info = tensor(name);
        ByteBuffer bytes = data(name);
        long[] values = new long[(int) info.elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = switch (info.type()) {
                case I64 -> bytes.getLong();
                case I32 -> bytes.getInt();
                case I16 -> bytes.getShort();
                case I8 -> bytes.get();
                case U8, BOOL -> bytes.get() & 0xff;
                default -> throw unsuited(info, "I64, I32, I16, I8, U8 or BOOL");
            };
        }
        return values;
    }

    /**
     * Copies a tensor into {@code manager}: F32, F64, I64, I32, U8 and BOOL keep their type, F16 and BF16 become F32.
     *
     * @throws DataException if there is no such tensor or it has another type
     */
    public NDArray load(String name, NDManager manager) {
        TensorInfo info = tensor(name);
        return switch (info.type()) {
            case F64 -> copy(info, DataType.FLOAT64, manager);
            case F32 -> copy(info, DataType.FLOAT32, manager);
            case I64 -> copy(info, DataType.INT64, manager);
            case I32 -> copy(info, DataType.INT32, manager);
            case U8 -> copy(info, DataType.UINT8, manager);
            case BOOL -> {
                requireTruthValues(info);
                yield copy(info, DataType.BOOLEAN, manager);
            }
            case F16, BF16 -> widen(info, manager);
            case I16, I8 -> throw unsuited(info, "a type that tensors of a model can have");
        };
    }

    private NDArray copy(TensorInfo info, DataType type, NDManager manager) {
        if (info.elements() == 0) {
            return manager.zeros(info.shape(), type);
        }
        // A direct buffer becomes the tensor's own memory, and a mapped file's pages cannot be written to.
        try (NDArray view = manager.create(data(info.name()), info.shape(), type)) {
            return view.duplicate();
        }
    }

    /** C++ may do anything with a bool that is neither 0 nor 1. */
    private void requireTruthValues(TensorInfo info) {
        ByteBuffer bytes = data(info.name());
        while (bytes.hasRemaining()) {
            byte value = bytes.get();
            if (value != 0 && value != 1) {
                throw new DataException("Tensor " + Text.quote(info.name()) + " of " + file + " has the truth value "
                        + value + ", which is neither 0 nor 1");
            }
        }
    }

    private NDArray widen(TensorInfo info, NDManager manager) {
        ByteBuffer bytes = data(info.name());
        long elements = info.elements();
        float[] chunk = new float[(int) Math.min(CHUNK, elements)];
        try (TensorScope s = TensorScope.inference(manager)) {
            NDArray values = s.zeros(elements);
            for (long done = 0; done < elements; done += chunk.length) {
                int count = (int) Math.min(chunk.length, elements - done);
                read(info.type(), bytes, chunk, count);
                try (TensorScope part = s.open()) {
                    part.copy(part.narrow(values, 0, done, count), part.floats(Arrays.copyOf(chunk, count), count));
                }
            }
            return s.keep(s.reshape(values, info.shape().getShape()));
        }
    }

    private DataException unsuited(TensorInfo info, String wanted) {
        return new DataException("Tensor " + Text.quote(info.name()) + " of " + file + " has type " + info.type()
                + " instead of " + wanted);
    }
}
