package io.github.rarspark.train.tensorboard;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RecordWriterTest {
    private static final Instant TIME = Instant.parse("2026-01-02T03:04:05.250Z");

    @TempDir
    Path folder;

    /** The vectors of RFC 3720, appendix B.4, by which the tests' reader checks the files. */
    @Test
    void theReaderKnowsTheChecksum() {
        byte[] ascending = new byte[32];
        IntStream.range(0, 32).forEach(i -> ascending[i] = (byte) i);
        byte[] ones = new byte[32];
        Arrays.fill(ones, (byte) 0xff);
        assertThat(EventReader.crc32c("123456789".getBytes(StandardCharsets.US_ASCII)))
                .isEqualTo(0xE3069283);
        assertThat(EventReader.crc32c(new byte[32])).isEqualTo(0x8A9136AA);
        assertThat(EventReader.crc32c(ones)).isEqualTo(0x62A8AB43);
        assertThat(EventReader.crc32c(ascending)).isEqualTo(0x46DD794E);
    }

    /** TensorFlow's files begin with the same twelve bytes: a length of 24 and its masked checksum. */
    @Test
    void aFileBeginsLikeTensorFlows() throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        new RecordWriter(out).write(Events.fileVersion(TIME));
        assertThat(HexFormat.of().formatHex(out.toByteArray(), 0, 12)).isEqualTo("1800000000000000a37f4b22");
    }

    @Test
    void eventsAreReadBack() throws IOException {
        Map<String, Double> scalars = new TreeMap<>(Map.of("a", 1.5, "b/c", -2e-7, "nan", Double.NaN));
        byte[] png = {1, 2, 3};
        Path file = folder.resolve("events.out.tfevents.1");
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        RecordWriter writer = new RecordWriter(out);
        writer.write(Events.fileVersion(TIME));
        writer.write(Events.sessionStart(TIME, 300));
        writer.write(Events.scalars(TIME, 1L << 40, scalars));
        writer.write(Events.images(TIME, 7, 20, 10, Map.of("samples/0 Täst", png)));
        writer.write(Events.text(TIME, 8, "note", "ein Gruß"));
        Files.write(file, out.toByteArray());

        List<EventReader.Event> events = EventReader.file(file);
        assertThat(events).hasSize(5).allSatisfy(event -> assertThat(event.time())
                .isEqualTo(1767323045.25));
        assertThat(events.get(0).version()).isEqualTo("brain.Event:2");
        assertThat(events).extracting(EventReader.Event::start).containsExactly(false, true, false, false, false);
        assertThat(events).extracting(EventReader.Event::step).containsExactly(0L, 300L, 1L << 40, 7L, 8L);
        assertThat(events.get(2).values()).extracting(EventReader.Value::tag).containsExactly("a", "b/c", "nan");
        assertThat(events.get(2).values())
                .extracting(EventReader.Value::scalar)
                .containsExactly(1.5, (double) -2e-7f, Double.NaN);
        assertThat(EventReader.values(events, "samples/0 Täst").get(0).content())
                .isEqualTo(png);
        assertThat(EventReader.values(events, "note").get(0).text()).isEqualTo("ein Gruß");
    }
}
