package io.github.rarspark.common.npz;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.kernel.error.DataException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TimeZone;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NpzTest {
    private static final byte[] PIXELS = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, -1};

    private final Storage storage = new Storage(new Configuration());

    @TempDir
    private Path folder;

    @Test
    void theHeadIsNumPys() {
        byte[] head = NpyHeader.of(NpyHeader.UINT8, 3).bytes();
        String expected = "NUMPY\1\0v\0{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }";
        assertThat(new String(head, 1, head.length - 1, StandardCharsets.ISO_8859_1))
                .startsWith(expected)
                .endsWith(" \n");
        assertThat(head).hasSize(128);
        assertThat(head[0]).isEqualTo((byte) 0x93);
    }

    @Test
    void everyHeadIsReadBackAndAligned() throws IOException {
        for (int length = 1; length < 70; length++) {
            long[] shape = new long[length];
            NpyHeader header = NpyHeader.of(NpyHeader.FLOAT64, shape);
            byte[] bytes = header.bytes();
            assertThat(bytes.length % 64).isZero();
            ByteArrayInputStream in = new ByteArrayInputStream(bytes);
            assertThat(NpyHeader.read(in, "x")).isEqualTo(header);
            assertThat(in.available()).isZero();
        }
    }

    @Test
    void theBytesDependOnTheArraysOnly() throws IOException {
        TimeZone here = TimeZone.getDefault();
        List<byte[]> archives = new ArrayList<>();
        try {
            for (String zone : List.of("UTC", "Pacific/Chatham")) {
                TimeZone.setDefault(TimeZone.getTimeZone(zone));
                archives.add(storage.readBytes(write()));
            }
        } finally {
            TimeZone.setDefault(here);
        }
        assertThat(archives.get(1)).isEqualTo(archives.get(0));
    }

    @Test
    void whatIsWrittenIsReadFromAnyPlace() throws IOException {
        String path = write();
        try (NpzFile file = NpzFile.open(storage, path)) {
            assertThat(file.names()).containsExactly("arr_0", "mu");
            assertThat(file.header("arr_0")).isEqualTo(NpyHeader.of(NpyHeader.UINT8, 2, 2, 3));
            try (InputStream in = file.elements("arr_0", 6)) {
                assertThat(in.readNBytes(6)).containsExactly(6, 7, 8, 9, 10, -1);
            }
            assertThat(file.doubles("mu")).containsExactly(1.5, -2);
            try (InputStream in = file.elements("arr_0", 0)) {
                assertThat(in.readNBytes(12)).isEqualTo(PIXELS);
            }
        }
    }

    @Test
    void aDeflatedArchiveIsReadToo() throws IOException {
        Path path = folder.resolve("deflated.npz");
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(path))) {
            zip.putNextEntry(new ZipEntry("arr_0.npy"));
            zip.write(NpyHeader.of(NpyHeader.UINT8, 12).bytes());
            zip.write(PIXELS);
            zip.closeEntry();
        }
        try (NpzFile file = NpzFile.open(storage, path.toString());
                InputStream in = file.elements("arr_0", 10)) {
            assertThat(in.readAllBytes()).containsExactly(10, -1);
        }
    }

    @Test
    void equalArraysGiveEqualBytes() throws IOException {
        byte[] first = storage.readBytes(write());
        assertThat(storage.readBytes(write())).isEqualTo(first);
    }

    @Test
    void badFilesSaySo() throws IOException {
        Path text = Files.writeString(folder.resolve("text.npz"), "no archive");
        assertThatThrownBy(() -> NpzFile.open(storage, text.toString()).close())
                .isInstanceOf(DataException.class)
                .hasMessageContaining("not an npz file");
        try (NpzFile file = NpzFile.open(storage, write())) {
            assertThatThrownBy(() -> file.doubles("sigma"))
                    .isInstanceOf(DataException.class)
                    .hasMessageContaining("no array 'sigma', only [arr_0, mu]");
            assertThatThrownBy(() -> file.doubles("arr_0"))
                    .isInstanceOf(DataException.class)
                    .hasMessageContaining("|u1 instead of <f4 or <f8");
        }
        String columns = "{'descr': '<f8', 'fortran_order': True, 'shape': (2, 2), }\n";
        byte[] head =
                ("\u0093NUMPY\1\0" + (char) columns.length() + "\0" + columns).getBytes(StandardCharsets.ISO_8859_1);
        assertThatThrownBy(() -> NpyHeader.read(new ByteArrayInputStream(head), "sigma of x.npz"))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("sigma of x.npz: it is in column-major order");
    }

    private String write() throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (NpzWriter writer = new NpzWriter(out)) {
            writer.add("arr_0", NpyHeader.of(NpyHeader.UINT8, 2, 2, 3), to -> to.write(PIXELS));
            byte[] mean = ByteBuffer.allocate(16)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putDouble(1.5)
                    .putDouble(-2)
                    .array();
            writer.add("mu", NpyHeader.of(NpyHeader.FLOAT64, 2), to -> to.write(mean));
        }
        return Files.write(folder.resolve("stored.npz"), out.toByteArray()).toString();
    }
}
