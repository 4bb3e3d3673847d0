package io.github.rarspark.kernel.weights.format;

import ai.djl.ndarray.NDArray;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.WritableByteChannel;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Writes a weight file tensor by tensor, holding only one at a time: making one writes what comes before the data,
 * {@link #write} the tensors in the order they were announced in, and {@link #finish} the rest. The same input gives the
 * same bytes. The stream stays open.
 */
public abstract class TensorWriter {
    private final OutputStream out;
    private final WritableByteChannel channel;
    private final List<TensorInfo> tensors;
    private int written;
    private long position;

    /**
     * A writer of these tensors.
     *
     * @throws IllegalArgumentException if two have one name
     */
    protected TensorWriter(OutputStream out, List<TensorInfo> tensors) {
        this.out = out;
        this.channel = Channels.newChannel(out);
        this.tensors = List.copyOf(tensors);
        Set<String> names = new HashSet<>();
        for (TensorInfo tensor : tensors) {
            if (!names.add(tensor.name())) {
                throw new IllegalArgumentException("Cannot write two tensors named '" + tensor.name() + "'");
            }
        }
    }

    /**
     * Writes the next tensor.
     *
     * @param data its remaining bytes, little-endian and row-major
     * @throws IllegalArgumentException if it is not this tensor's turn, or it has another length than announced
     */
    public final void write(String name, ByteBuffer data) throws IOException {
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
        writeData(written, data.duplicate());
        written++;
    }

    /** Writes the next tensor from a tensor in memory, as {@link #write(String, ByteBuffer)}. */
    public final void write(String name, NDArray tensor) throws IOException {
        write(name, tensor.toByteBuffer());
    }

    /**
     * Ends the file and flushes the stream.
     *
     * @throws IllegalStateException if a tensor that was announced was not written
     */
    public final void finish() throws IOException {
        if (written < tensors.size()) {
            throw new IllegalStateException("The file ends before tensor '"
                    + tensors.get(written).name() + "', number " + (written + 1) + " of " + tensors.size());
        }
        writeEnd();
        out.flush();
    }

    /** Writes the data of the tensor with this index. */
    protected abstract void writeData(int index, ByteBuffer data) throws IOException;

    /** Writes what comes behind the data. */
    protected abstract void writeEnd() throws IOException;

    /** Appends bytes to the file. */
    protected final void put(ByteBuffer bytes) throws IOException {
        position += bytes.remaining();
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    /** How many bytes were written. */
    protected final long position() {
        return position;
    }
}
