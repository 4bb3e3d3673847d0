package io.github.rarspark.kernel.weights;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.util.function.Supplier;

/**
 * A file that a reader has to refuse.
 *
 * @param name what is wrong with it
 * @param reader who reads it
 * @param bytes its content
 * @param check a part of the message of the check that refuses it
 */
record HostileFile(String name, Reader reader, Supplier<byte[]> bytes, String check) {
    /** Reads a file's structure. */
    @FunctionalInterface
    interface Reader {
        TensorFile read(FileChannel channel, String file) throws IOException;
    }

    /** Reads the file and then all its data. */
    void readWhole(FileChannel channel, String file) throws IOException {
        TensorFile tensors = reader.read(channel, file);
        tensors.names().forEach(tensors::data);
    }

    @Override
    public String toString() {
        return name;
    }
}
