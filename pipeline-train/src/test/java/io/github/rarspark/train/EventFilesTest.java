package io.github.rarspark.train;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.run.Plan;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.Claims;
import io.github.rarspark.kernel.image.ImageDecoder;
import io.github.rarspark.kernel.image.ImageGrid;
import io.github.rarspark.kernel.image.PngEncoder;
import io.github.rarspark.kernel.image.RgbImage;
import io.github.rarspark.train.tensorboard.EventReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EventFilesTest {
    private static final InstantSource CLOCK = InstantSource.fixed(Instant.parse("2026-01-02T03:04:05Z"));
    private static final Plan PLAN = Plan.of("train", "r", Map.of(), Map.of());

    @TempDir
    Path output;

    private OutputClaim claim() throws IOException {
        return Claims.claim(new Storage(new Configuration()), output.toUri().toString(), PLAN);
    }

    private static void add(EventFiles files, long first, long last) {
        LongStream.rangeClosed(first, last).forEach(step -> files.add(ProgressReports.of(step, 10.0 / step)));
    }

    private List<Long> steps(String tag) throws IOException {
        return EventReader.values(EventReader.folder(output), tag).stream()
                .map(EventReader.Value::step)
                .toList();
    }

    private static List<Long> upTo(long last) {
        return LongStream.rangeClosed(1, last).boxed().toList();
    }

    @Test
    void eachCheckpointHasAFileOfTheStepsUpToIt() throws IOException {
        try (OutputClaim claim = claim()) {
            EventFiles files = EventFiles.resumeAt(claim, 0, CLOCK);
            add(files, 1, 6); // the checkpoint of step 4 was still being written after steps 5 and 6
            files.publish(4);
            assertThat(EventReader.names(output)).containsExactly("events.out.tfevents.a000001-r000000-s000000004");
            assertThat(steps("loss/all")).isEqualTo(upTo(4));
            files.publish(4);
            add(files, 7, 8);
            files.publish(8);
            files.publish(8);
        }
        assertThat(EventReader.names(output))
                .containsExactly(
                        "events.out.tfevents.a000001-r000000-s000000004",
                        "events.out.tfevents.a000001-r000000-s000000008");
        assertThat(steps("loss/all")).isEqualTo(upTo(8));
        List<EventReader.Event> events = EventReader.folder(output);
        assertThat(EventReader.values(events, "loss/permuted"))
                .extracting(EventReader.Value::scalar)
                .startsWith(10.0, 5.0, (double) (float) (10.0 / 3));
        assertThat(EventReader.values(events, "loss/scan_order")).isEmpty();
        assertThat(events.get(2).values())
                .extracting(EventReader.Value::tag)
                .containsExactly(
                        "loss/all",
                        "loss/permuted",
                        "gradient_norm",
                        "learning_rate",
                        "permutation_probability",
                        "images_per_second",
                        "time_share/data",
                        "time_share/forward",
                        "time_share/backward",
                        "time_share/all_reduce",
                        "time_share/optimizer",
                        "skipped",
                        "restarts");
        assertThat(events.get(0).version()).isEqualTo("brain.Event:2");
    }

    /** The driver dies, or a rank is lost, after the events were published and before the checkpoint was. */
    @Test
    void stepsAreThereOnceAfterAResumeAndAfterARestart() throws IOException {
        try (OutputClaim claim = claim()) {
            EventFiles files = EventFiles.resumeAt(claim, 0, CLOCK);
            add(files, 1, 4);
            files.publish(4);
            add(files, 5, 8);
            files.publish(8);
        }
        try (OutputClaim claim = claim()) {
            EventFiles files = EventFiles.resumeAt(claim, 4, CLOCK);
            assertThat(steps("loss/all")).isEqualTo(upTo(4));
            add(files, 5, 6);
            files.publish(6);
            add(files, 7, 8);
            files.publish(8);
            add(files, 9, 9);
            files.rewindTo(6, 1);
            assertThat(steps("loss/all")).isEqualTo(upTo(6));
            add(files, 7, 9);
            files.publish(9);
        }
        assertThat(EventReader.names(output))
                .containsExactly(
                        "events.out.tfevents.a000001-r000000-s000000004",
                        "events.out.tfevents.a000002-r000000-s000000006",
                        "events.out.tfevents.a000002-r000001-s000000009");
        assertThat(steps("loss/all")).isEqualTo(upTo(9));
        assertThat(EventReader.folder(output))
                .filteredOn(EventReader.Event::start)
                .extracting(EventReader.Event::step)
                .containsExactly(1L, 5L, 7L);
    }

    @Test
    void otherFilesStay() throws IOException {
        Path foreign = output.resolve("events.out.tfevents.1700000000.host");
        try (OutputClaim claim = claim()) {
            Files.writeString(foreign, "x");
            EventFiles.resumeAt(claim, 0, CLOCK);
        }
        assertThat(foreign).exists();
    }

    @Test
    void theRowsOfAGridAreImagesWithTheirCaptions() throws IOException {
        List<RgbImage> images =
                IntStream.range(0, 24).mapToObj(i -> plain(6, 100 + i / 8)).toList();
        try (OutputClaim claim = claim()) {
            EventFiles files = EventFiles.resumeAt(claim, 0, CLOCK);
            byte[] png = PngEncoder.encode(ImageGrid.of(images, 8, SampleGrid.PADDING));
            files.grid(3, png, List.of("0 Top", "1 Bag", "class 2"));
            files.note(3, "warnings", "rank 1: slow");
            files.publish(3);
        }
        List<EventReader.Event> events = EventReader.folder(output);
        for (int row = 0; row < 3; row++) {
            String tag = "samples/" + List.of("0 Top", "1 Bag", "class 2").get(row);
            RgbImage image = new ImageDecoder()
                    .decode(EventReader.values(events, tag).get(0).content(), tag);
            assertThat(image.height()).isEqualTo(6 + 2 * SampleGrid.PADDING);
            assertThat(image.width()).isEqualTo(8 * (6 + SampleGrid.PADDING) + SampleGrid.PADDING);
            Map<Integer, Long> colours = IntStream.range(0, image.pixels().length)
                    .mapToObj(i -> image.pixels()[i] & 0xff)
                    .collect(Collectors.groupingBy(colour -> colour, Collectors.counting()));
            assertThat(colours).containsOnlyKeys(255, 100 + row).containsEntry(100 + row, 8L * 6 * 6 * 3);
        }
        assertThat(EventReader.values(events, "warnings").get(0).text()).isEqualTo("rank 1: slow");
    }

    private static RgbImage plain(int size, int value) {
        byte[] pixels = new byte[3 * size * size];
        Arrays.fill(pixels, (byte) value);
        return new RgbImage(size, size, pixels);
    }
}
