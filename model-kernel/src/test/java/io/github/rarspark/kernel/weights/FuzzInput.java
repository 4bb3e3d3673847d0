package io.github.rarspark.kernel.weights;

import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.weights.format.TensorInfo;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Reads an input of the fuzzer from a file, all tensors too. */
public final class FuzzInput {
    private FuzzInput() {}

    /** Reads or refuses it; anything else is a finding. */
    public static void read(HostileFile.Reader reader, byte[] data) throws IOException {
        Path path = Files.createTempFile("fuzz", ".bin");
        try (FileChannel channel = FileChannel.open(
                path, StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.DELETE_ON_CLOSE)) {
            channel.write(ByteBuffer.wrap(data));
            TensorFile file = reader.read(channel, "fuzz");
            for (TensorInfo info : file.tensors().values()) {
                if (file.data(info.name()).remaining() != info.bytes()) {
                    throw new AssertionError(
                            info + " has " + file.data(info.name()).remaining() + " bytes");
                }
            }
        } catch (DataException refused) {
            if (!refused.getMessage().matches("\\P{Cntrl}{1,500}")) {
                throw new AssertionError("Not one line: " + refused.getMessage(), refused);
            }
        }
    }
}
