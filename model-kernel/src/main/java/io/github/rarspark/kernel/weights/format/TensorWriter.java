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
 * Writes a weight file tensor by tensor, with only one in memory at a time: the constructor writes the header, {@link
 * #write} the tensors in the order in which they were declared, and {@link #finish} the rest. The same input gives the
 * same bytes. The stream stays open.
 */
public abstract class TensorWriter {
    private final OutputStream out;
    private final WritableByteChannel channel;
    private final List<TensorInfo> tensors;
    private int written;
    private long position;

    /**
     * Creates a writer of these tensors.
     *
     * @throws IllegalArgumentException if two have the same name
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
     * @throws IllegalArgumentException if the tensor is not the next one, or its length is not the declared one
     */
    public final void write(String name, ByteBuffer data) throws IOException {
        if (written == tensors.size()) {
            throw new IllegalArgumentException("Cannot write tensor '" + name + "': all declared tensors were written");
        }
        TensorInfo next = tensors.get(written);
        if (!next.name().equals(name)) {
            throw new IllegalArgumentException(
                    "Cannot write tensor '" + name + "': the next declared tensor is '" + next.name() + "'");
        }
        if (data.remaining() != next.bytes()) {
            throw new IllegalArgumentException(
                    "Cannot write tensor '" + name + "': " + data.remaining() + " bytes instead of " + next.bytes());
        }
        writeData(written, data.duplicate());
        written++;
    }

    /** Writes the next tensor from a tensor in memory, like {@link #write(String, ByteBuffer)}. */
    public final void write(String name, NDArray tensor) throws IOException {
        write(name, tensor.toByteBuffer());
    }

    /**
     * Completes the file and flushes the stream.
     *
     * @throws IllegalStateException if a declared tensor was not written
     */
    public final void finish() throws IOException {
        if (written < tensors.size()) {
            throw new IllegalStateException("Cannot finish the file before tensor '"
                    + tensors.get(written).name() + "', number " + (written + 1) + " of " + tensors.size());
        }
        writeEnd();
        out.flush();
    }

    /** Writes the data of the tensor with this index. */
    protected abstract void writeData(int index, ByteBuffer data) throws IOException;

    /** Writes what follows the data. */
    protected abstract void writeEnd() throws IOException;

    /** Appends bytes to the file. */
    protected final void put(ByteBuffer bytes) throws IOException {
        position += bytes.remaining();
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    /** The number of bytes written. */
    protected final long position() {
        return position;
    }
}
