package io.github.rarspark.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rarspark.common.shard.ParquetShard;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.image.ImageDecoder;
import io.github.rarspark.kernel.image.RgbImage;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.GZIPOutputStream;
import org.apache.avro.generic.GenericRecord;
import org.apache.hadoop.conf.Configuration;
import org.apache.parquet.hadoop.ParquetReader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FashionMnistTest {
    private static final Path DEMO = Path.of("..", "demo", "images.parquet");

    @TempDir
    Path folder;

    private final Storage storage = new Storage(new Configuration());

    @Test
    void demoHoldsTheTestSplit() throws Exception {
        // SHA-256 of the 784 grey values in the IDX file.
        Map<Integer, String> hashes = Map.of(
                0, "ffc7351ed0f8bae542820866086177fa4e0b366b97bf9d998dffdb8dbe138787",
                4999, "6992f8361f946768f7dac1e4654be61ac2edccb32e3637ec46e19150fedaf24a",
                9999, "0e65cd3713adf40ebd419516c1a2256c9e24ad75e86a862368adafd141f4c1bb");
        Map<Long, Integer> perClass = new TreeMap<>();
        int rows = 0;
        try (ParquetReader<GenericRecord> reader = ParquetShard.read(storage, DEMO.toString())) {
            for (GenericRecord row = reader.read(); row != null; row = reader.read()) {
                perClass.merge((Long) row.get("label"), 1, Integer::sum);
                if (hashes.containsKey(rows)) {
                    byte[] gray = gray(row, 28, 28);
                    byte[] hash = MessageDigest.getInstance("SHA-256").digest(gray);
                    assertThat(HexFormat.of().formatHex(hash)).isEqualTo(hashes.get(rows));
                }
                rows++;
            }
        }
        assertThat(rows).isEqualTo(10_000);
        assertThat(perClass).hasSize(10).allSatisfy((label, count) -> assertThat(count)
                .isEqualTo(1000));
    }

    @Test
    void idxFilesBecomeRows() throws IOException {
        byte[] pixels = {1, 2, 3, 4, 5, 6, -1, -2, -3, -4, -5, -6};
        Path images = idx("images.gz", pixels, 0x803, 2, 3, 2);
        Path labels = idx("labels.gz", new byte[] {9, 0}, 0x801, 2);
        Path output = folder.resolve("out.parquet");
        assertThat(convert(images, labels, output)).isEqualTo(2);
        try (ParquetReader<GenericRecord> reader = ParquetShard.read(storage, output.toString())) {
            GenericRecord first = reader.read();
            assertThat(first.get("label")).isEqualTo(9L);
            assertThat(((GenericRecord) first.get("image")).get("path")).hasToString("00000.png");
            assertThat(gray(first, 2, 3)).containsExactly(1, 2, 3, 4, 5, 6);
            GenericRecord second = reader.read();
            assertThat(second.get("label")).isEqualTo(0L);
            assertThat(gray(second, 2, 3)).containsExactly(-1, -2, -3, -4, -5, -6);
            assertThat(reader.read()).isNull();
        }
        Path again = folder.resolve("again.parquet");
        convert(images, labels, again);
        assertThat(again).hasSameBinaryContentAs(output);
    }

    @Test
    void otherFilesAreRefusedAndNothingIsWritten() throws IOException {
        Path images = idx("images.gz", new byte[12], 0x803, 2, 3, 2);
        Path labels = idx("labels.gz", new byte[2], 0x801, 2);
        Path output = folder.resolve("out.parquet");
        assertRefused(labels, labels, "labels.gz: it starts with 00000801 instead of 00000803");
        assertRefused(images, images, "images.gz: it starts with 00000803 instead of 00000801");
        assertRefused(images, idx("few.gz", new byte[1], 0x801, 1), "few.gz: it has 1 labels, but ");
        assertRefused(images, idx("cut.gz", new byte[1], 0x801, 2), "one of them is truncated");
        assertRefused(
                images, idx("high.gz", new byte[] {3, 10}, 0x801, 2), "label 10 is out of range, there are 10 classes");
        assertRefused(idx("huge.gz", new byte[1], 0x803, 2, 1 << 20, 9), labels, "images of 9 x 1048576");
        Path plain = Files.write(folder.resolve("plain"), new byte[20]);
        assertRefused(plain, labels, "plain: it is not gzipped");
        assertThat(output).doesNotExist();
    }

    private void assertRefused(Path images, Path labels, String reason) {
        assertThatThrownBy(() -> convert(images, labels, folder.resolve("out.parquet")))
                .isInstanceOf(DataException.class)
                .hasMessageStartingWith("Cannot read ")
                .hasMessageContaining(reason);
    }

    private int convert(Path images, Path labels, Path output) throws IOException {
        return FashionMnist.convert(storage, images.toString(), labels.toString(), output.toString());
    }

    private Path idx(String name, byte[] data, int... header) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataOutputStream out = new DataOutputStream(new GZIPOutputStream(bytes))) {
            for (int word : header) {
                out.writeInt(word);
            }
            out.write(data);
        }
        return Files.write(folder.resolve(name), bytes.toByteArray());
    }

    private static byte[] gray(GenericRecord row, int width, int height) {
        ByteBuffer buffer = (ByteBuffer) ((GenericRecord) row.get("image")).get("bytes");
        byte[] png = new byte[buffer.remaining()];
        buffer.duplicate().get(png);
        RgbImage image = new ImageDecoder().decode(png, "row");
        assertThat(image.width()).isEqualTo(width);
        assertThat(image.height()).isEqualTo(height);
        byte[] gray = new byte[width * height];
        for (int i = 0; i < gray.length; i++) {
            gray[i] = image.pixels()[3 * i];
        }
        return gray;
    }
}
