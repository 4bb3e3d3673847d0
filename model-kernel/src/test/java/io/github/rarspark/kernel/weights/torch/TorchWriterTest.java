package io.github.rarspark.kernel.weights.torch;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.types.Shape;
import io.github.rarspark.kernel.weights.TensorFile;
import io.github.rarspark.kernel.weights.format.ElementType;
import io.github.rarspark.kernel.weights.format.MappedRanges;
import io.github.rarspark.kernel.weights.format.TensorInfo;
import io.github.rarspark.kernel.weights.format.TensorWriter;
import io.github.rarspark.kernel.weights.torch.StoredZip.Entry;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What Java writes; src/test/python/check_exports.py has Python's libraries read it. */
class TorchWriterTest {
    private static final Path FIXTURES = Path.of("src/test/resources/weights");

    @TempDir
    Path folder;

    @Test
    void everyTensorIsBitEqualAfterARoundTrip() throws IOException {
        TensorFile original = TensorFile.open(FIXTURES.resolve("zip.pth"));
        Path copy = Files.write(folder.resolve("copy.bin"), torchBytes(original));
        TensorFile read = TensorFile.open(copy);
        TorchFilesTest.assertSame(read, original);
        assertThat(read.names()).containsExactlyElementsOf(original.names());
        assertThat(torchBytes(read)).isEqualTo(Files.readAllBytes(copy));
    }

    @Test
    void theArchiveIsPlainZipWithAlignedData() throws IOException {
        Path copy =
                Files.write(folder.resolve("copy.bin"), torchBytes(TensorFile.open(FIXTURES.resolve("module.pth"))));
        Map<String, Entry> entries = MappedRanges.inFile(copy, channel -> StoredZip.read(channel, "copy"));
        assertThat(entries.keySet())
                .startsWith("archive/data.pkl", "archive/byteorder", "archive/data/0")
                .endsWith("archive/data/6", "archive/version");
        assertThat(entries.values()).allMatch(entry -> entry.data().begin() % 64 == 0);
        try (ZipFile zip = new ZipFile(copy.toFile())) {
            for (Entry entry : entries.values()) {
                ZipEntry stored = zip.getEntry(entry.name());
                assertThat(stored.getMethod()).isEqualTo(ZipEntry.STORED);
                assertThat((int) stored.getCrc()).isEqualTo(entry.crc());
                assertThat(zip.getInputStream(stored).readAllBytes())
                        .hasSize((int) entry.data().length());
            }
        }
    }

    @Test
    void tensorsBeyondFourGigabytesAreFound() throws IOException {
        Path zeros = folder.resolve("zeros");
        int gigabyte = 1 << 30;
        List<TensorInfo> infos = IntStream.range(0, 6)
                .mapToObj(i -> new TensorInfo("t" + i, ElementType.U8, new Shape(i < 5 ? gigabyte : 3)))
                .toList();
        Path path = folder.resolve("large.bin");
        try (FileChannel sparse = FileChannel.open(
                        zeros, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE, StandardOpenOption.READ);
                OutputStream out = new BufferedOutputStream(new SparseFile(path), 1 << 20)) {
            sparse.write(ByteBuffer.allocate(1), gigabyte - 1);
            ByteBuffer data = sparse.map(MapMode.READ_ONLY, 0, gigabyte);
            TensorWriter writer = TorchZip.FORMAT.begin(out, Map.of(), infos);
            for (TensorInfo info : infos.subList(0, 5)) {
                writer.write(info.name(), data);
            }
            writer.write("t5", ByteBuffer.wrap(new byte[] {1, 2, 3}));
            writer.finish();
        }
        assertThat(Files.size(path)).isGreaterThan(5L * gigabyte);
        TensorFile read = TensorFile.open(path);
        assertThat(read.tensors().values()).containsExactlyElementsOf(infos);
        assertThat(read.longs("t5")).containsExactly(1, 2, 3);
    }

    @Test
    void halvesAreRoundedAsPyTorchRounds() throws IOException {
        TensorFile file = TensorFile.open(FIXTURES.resolve("rounded.safetensors"));
        assertThat(file.data("float", ElementType.F16)).isEqualTo(file.data("half"));
        assertThat(file.data("float", ElementType.BF16)).isEqualTo(file.data("bfloat"));
        ByteBuffer widened = file.data("bfloat", ElementType.F32);
        float[] values = new float[widened.remaining() / Float.BYTES];
        widened.asFloatBuffer().get(values);
        assertThat(values).containsExactly(file.floats("bfloat"));
    }

    static byte[] torchBytes(TensorFile file) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        TensorWriter writer =
                TorchZip.FORMAT.begin(out, Map.of(), List.copyOf(file.tensors().values()));
        for (String name : file.names()) {
            writer.write(name, file.data(name));
        }
        writer.finish();
        return out.toByteArray();
    }

    /** A file in which blocks of zeros take no space. */
    private static final class SparseFile extends OutputStream {
        private final FileChannel channel;
        private final byte[] zeros = new byte[1 << 20];

        SparseFile(Path path) throws IOException {
            channel = FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        }

        @Override
        public void write(int b) throws IOException {
            write(new byte[] {(byte) b}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            if (length <= zeros.length && Arrays.equals(bytes, offset, offset + length, zeros, 0, length)) {
                channel.position(channel.position() + length);
            } else {
                channel.write(ByteBuffer.wrap(bytes, offset, length));
            }
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }
}
