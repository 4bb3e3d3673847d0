package io.github.rarspark.kernel.weights;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.weights.format.ElementType;
import io.github.rarspark.kernel.weights.format.FileContent;
import io.github.rarspark.kernel.weights.format.MappedRanges;
import io.github.rarspark.kernel.weights.format.StoredTensor;
import io.github.rarspark.kernel.weights.format.TensorInfo;
import io.github.rarspark.kernel.weights.format.Text;
import io.github.rarspark.kernel.weights.format.WeightFormat;
import io.github.rarspark.kernel.weights.safetensors.Safetensors;
import io.github.rarspark.kernel.weights.torch.TorchLegacy;
import io.github.rarspark.kernel.weights.torch.TorchZip;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The tensors of a weight file whose structure has been validated. Immutable; need not be closed. */
public final class TensorFile {
    /** The readable formats, in the order in which they are tried. */
    private static final List<WeightFormat> FORMATS = List.of(Safetensors.FORMAT, TorchZip.FORMAT, TorchLegacy.FORMAT);

    private final String file;
    private final WeightFormat format;
    private final Map<String, String> metadata;
    private final Map<String, TensorInfo> tensors;
    private final Map<String, StoredTensor> stored;

    private TensorFile(String file, WeightFormat format, FileContent content) {
        this.file = file;
        this.format = format;
        this.metadata = Collections.unmodifiableMap(content.metadata());
        Map<String, TensorInfo> infos = new LinkedHashMap<>();
        Map<String, StoredTensor> byName = new LinkedHashMap<>();
        for (StoredTensor tensor : content.tensors()) {
            infos.put(tensor.info().name(), tensor.info());
            byName.put(tensor.info().name(), tensor);
        }
        this.tensors = Collections.unmodifiableMap(infos);
        this.stored = byName;
    }

    /**
     * Opens a local file of any {@linkplain WeightFormat format}, detected from its content. The file is memory-mapped,
     * and its pages are read when a tensor is used; it must not be modified while its tensors are in use.
     *
     * @throws DataException if the file is of unknown format, or malformed
     * @throws IOException if it cannot be read
     */
    public static TensorFile open(Path path) throws IOException {
        return MappedRanges.inFile(path, channel -> read(channel, path.toString()));
    }

    /**
     * Reads a whole stream in any format, like {@link #open(Path)}. It is copied to a temporary file that is
     * memory-mapped and then deleted, so the tensors take no heap, and no more memory than the stream has bytes.
     *
     * @param file what messages call the stream
     * @throws DataException if the stream is of unknown format, or malformed
     * @throws IOException if it cannot be read, or the temporary folder cannot hold it
     */
    public static TensorFile open(InputStream in, String file) throws IOException {
        return MappedRanges.inTemporaryFile(in, channel -> read(channel, file));
    }

    /** Reads an open file in the format detected from its first bytes. */
    static TensorFile read(FileChannel channel, String file) throws IOException {
        byte[] head = MappedRanges.read(channel, 0, WeightFormat.HEAD_BYTES);
        WeightFormat format = FORMATS.stream()
                .filter(one -> one.matches(head))
                .findFirst()
                .orElseThrow(() -> new DataException("Cannot read " + file + " as weights: " + guess(head)));
        return read(channel, file, format);
    }

    /** Reads an open file in a given format. */
    static TensorFile read(FileChannel channel, String file, WeightFormat format) throws IOException {
        return new TensorFile(file, format, format.read(channel, file));
    }

    /** What a file of unknown format probably is. */
    private static String guess(byte[] head) {
        String text = new String(head, StandardCharsets.ISO_8859_1);
        if (head.length == 0) {
            return "it is empty";
        } else if (text.startsWith("version https:")) {
            return "it is a Git LFS pointer; fetch the file it points to with git lfs pull";
        } else if (text.startsWith("<")) {
            return "it is a web page; the download failed";
        } else if (text.startsWith("\u001f\u008b")) {
            return "it is compressed with gzip; unpack it first";
        } else if (head[0] == (byte) 0x80) {
            return "it is a pickle that torch.save did not write";
        }
        return "it is neither a safetensors file nor one that torch.save wrote";
    }

    /** The file's name in messages. */
    public String file() {
        return file;
    }

    /** The format of the file. */
    public WeightFormat format() {
        return format;
    }

    /** The file's key-value metadata; empty if it has none. */
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
     * @throws DataException if the file has no tensor of this name, or its bytes do not match the checksum in the file
     */
    public ByteBuffer data(String name) {
        tensor(name);
        return stored.get(name).data();
    }

    /**
     * The bytes of a tensor like {@link #data(String)}, converted to another type; rounds to nearest, ties to even.
     *
     * @throws DataException if there is no such tensor, or either type is not F32, F16 or BF16
     */
    public ByteBuffer data(String name, ElementType type) {
        TensorInfo info = tensor(name);
        if (info.type() == type) {
            return data(name);
        }
        requireFloats(info);
        if (!type.isFloat()) {
            throw unsuited(info, type.name());
        }
        return Elements.convert(data(name), info.type(), type);
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
        Elements.read(info.type(), data(name), values, values.length);
        return values;
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
     * The elements of a tensor of integers or booleans, row-major.
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
        ByteBuffer data = data(name);
        return switch (info.type()) {
            case F64 -> TensorCopies.same(info, DataType.FLOAT64, data, manager);
            case F32 -> TensorCopies.same(info, DataType.FLOAT32, data, manager);
            case I64 -> TensorCopies.same(info, DataType.INT64, data, manager);
            case I32 -> TensorCopies.same(info, DataType.INT32, data, manager);
            case U8 -> TensorCopies.same(info, DataType.UINT8, data, manager);
            case BOOL -> TensorCopies.booleans(info, data, file, manager);
            case F16, BF16 -> TensorCopies.widened(info, data, manager);
            case I16, I8 -> throw unsuited(info, "a type that tensors of a model can have");
        };
    }

    private DataException unsuited(TensorInfo info, String wanted) {
        return new DataException("Tensor " + Text.quote(info.name()) + " of " + file + " has type " + info.type()
                + " instead of " + wanted);
    }
}
