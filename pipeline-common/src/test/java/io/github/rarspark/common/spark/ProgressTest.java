package io.github.rarspark.common.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.ByteArrayOutputStream;
import java.io.FilterOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ProgressTest {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    @Test
    void aLineComesAfterEachIntervalWithProgressAndAtTheEnd() {
        try (Progress progress = lines(Duration.ofMillis(20))) {
            awaitFirstUpdate();
            progress.step(10);
            await().until(() -> written().size() == 1);
            progress.note("loss 2.50");
            progress.step(10);
            await().until(() -> written().size() == 2);
            progress.step(20);
            await().until(() -> written().size() == 3);
        }
        assertThat(written()).hasSize(4);
        assertThat(written().get(0)).matches("tokenize: 10 of 40 shards, [0-9.]+ shards/s, \\d+ s left");
        assertThat(written().get(1)).matches("tokenize: 20 of 40 shards, [0-9.]+ shards/s, \\d+ s left, loss 2.50");
        assertThat(written().subList(2, 4))
                .allMatch(line -> line.matches("tokenize: 40 of 40 shards, [0-9.]+ shards/s, in \\d+ s, loss 2.50"));
    }

    @Test
    void noLineComesBeforeTheFirstProgress() {
        try (Progress progress = lines(Duration.ofMillis(1))) {
            awaitFirstUpdate();
            assertThat(written()).isEmpty();
            progress.note("loss 2.50");
        }
        assertThat(written()).singleElement().asString().startsWith("tokenize: 0 of 40 shards, 0.000 shards/s, in ");
    }

    @Test
    void theEndIsOneLineEvenAfterProgressThatHadNoneYet() {
        try (Progress progress = lines(Duration.ofHours(1))) {
            awaitFirstUpdate();
            progress.step(40);
        }
        assertThat(written()).singleElement().asString().startsWith("tokenize: 40 of 40 shards");
    }

    @Test
    void anInterruptedThreadAwaitsTheEndAndStaysInterrupted() {
        Thread closing = Thread.currentThread();
        OutputStream slow = new FilterOutputStream(bytes) {
            @Override
            public void write(byte[] buffer, int offset, int length) {
                await().pollDelay(Duration.ZERO).until(() -> closing.getState() == Thread.State.WAITING);
                bytes.write(buffer, offset, length);
            }
        };
        Progress progress = lines(slow, Duration.ofHours(1));
        awaitFirstUpdate();
        closing.interrupt();
        progress.close();
        assertThat(Thread.interrupted()).isTrue();
        assertThat(written()).hasSize(1);
    }

    @Test
    void linesSayRateAndRemainingTime() {
        assertThat(Progress.line("tokenize", 10, 40, "shards", Duration.ofSeconds(10)))
                .isEqualTo("tokenize: 10 of 40 shards, 1.0 shards/s, 30 s left");
        assertThat(Progress.line("tokenize", 40, 40, "shards", Duration.ofSeconds(20)))
                .isEqualTo("tokenize: 40 of 40 shards, 2.0 shards/s, in 20 s");
        assertThat(Progress.line("train", 1, 4, "steps", Duration.ofSeconds(8)))
                .isEqualTo("train: 1 of 4 steps, 0.125 steps/s, 24 s left");
        assertThat(Progress.line("fid", 500, 500, "images", Duration.ofSeconds(2)))
                .isEqualTo("fid: 500 of 500 images, 250 images/s, in 2 s");
    }

    @Test
    void eventsAreOneLineOfJson() {
        assertThat(EventLog.line(Instant.EPOCH, "shard_done", Map.of("name", "a\nb", "rows", 3)))
                .isEqualTo("{\"event\":\"shard_done\",\"name\":\"a\\nb\",\"rows\":3,"
                        + "\"time\":\"1970-01-01T00:00:00Z\"}");
    }

    private Progress lines(Duration every) {
        return lines(bytes, every);
    }

    private static Progress lines(OutputStream out, Duration every) {
        return Progress.lines("tokenize", "shards", 40, new PrintStream(out, true, StandardCharsets.UTF_8), every);
    }

    /** One thread updates all bars in order: after the end of a later one, the first update of an earlier one is over. */
    private static void awaitFirstUpdate() {
        Progress.start("other", "shards", 1, true).close();
    }

    private List<String> written() {
        return bytes.toString(StandardCharsets.UTF_8).lines().toList();
    }
}
