package io.github.rarspark.kernel.weights;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.weights.SafetensorsHeader.Entry;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/** The tensors of a safetensors file that {@link Safetensors} has checked. Immutable; needs no closing. */
public final class SafetensorsFile {
    private final String file;
    private final Map<String, String> metadata;
    private final Map<String, TensorInfo> tensors;
    private final Map<String, ByteBuffer> data;

    SafetensorsFile(String file, SafetensorsHeader header, Map<String, ByteBuffer> data) {
        this.file = file;
        this.metadata = Collections.unmodifiableMap(header.metadata());
        Map<String, TensorInfo> infos = new LinkedHashMap<>();
        for (Entry entry : header.entries()) {
            infos.put(entry.info().name(), entry.info());
        }
        this.tensors = Collections.unmodifiableMap(infos);
        this.data = data;
    }

    /** What messages call this file. */
    public String file() {
        return file;
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
     * The bytes of a tensor, read-only, little-endian, outside the heap.
     *
     * @throws DataException if the file has no tensor of this name
     */
    public ByteBuffer data(String name) {
        tensor(name);
        return data.get(name).asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
    }

    /**
     * The elements of a tensor of F32, F16 or BF16, row-major.
     *
     * @throws DataException if there is no such tensor or it has another type
     */
    public float[] floats(String name) {
        TensorInfo info = tensor(name);
        ByteBuffer bytes = data(name);
        float[] values = new float[(int) info.elements()];
        switch (info.type()) {
            case F32 -> bytes.asFloatBuffer().get(values);
            case F16 -> {
                for (int i = 0; i < values.length; i++) {
                    values[i] = HalfPrecision.toFloat(bytes.getShort());
                }
            }
            case BF16 -> {
                for (int i = 0; i < values.length; i++) {
                    values[i] = Float.intBitsToFloat(bytes.getShort() << 16);
                }
            }
            default -> throw unsuited(info, "F32, F16 or BF16");
        }
        return values;
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
                case U8, BOOL -> bytes.get() & 0xff;
                default -> throw unsuited(info, "I64, I32, I16, U8 or BOOL");
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
            case BOOL -> copy(info, DataType.BOOLEAN, manager);
            case F16, BF16 -> NamedTensors.copy(floats(name), info.shape(), manager);
            case I16 -> throw unsuited(info, "a type that tensors of a model can have");
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

    private DataException unsuited(TensorInfo info, String wanted) {
        return new DataException("Tensor " + Text.quote(info.name()) + " of " + file + " has type " + info.type()
                + " instead of " + wanted);
    }
}
