package io.github.rarspark.kernel.weights;

import io.github.rarspark.kernel.weights.format.WeightFormat;
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
public record HostileFile(String name, Reader reader, Supplier<byte[]> bytes, String check) {
    /** Reads a file's structure. */
    @FunctionalInterface
    public interface Reader {
        /** Its tensors. */
        TensorFile read(FileChannel channel, String file) throws IOException;

        /** Reads a file of any format. */
        static Reader ofAnyFormat() {
            return TensorFile::read;
        }

        /** Reads a file in one format, whatever it begins with. */
        static Reader of(WeightFormat format) {
            return (channel, file) -> TensorFile.read(channel, file, format);
        }
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
