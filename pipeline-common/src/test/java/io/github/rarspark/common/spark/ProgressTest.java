package io.github.rarspark.common.spark;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.testing.SettableClock;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ProgressTest {
    private final SettableClock clock = new SettableClock(Instant.EPOCH);
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    @Test
    void linesComeEveryTenSecondsAndAtTheEnd() {
        try (Progress progress = new Progress.Lines(
                "tokenize", "shards", 40, new PrintStream(bytes, true, StandardCharsets.UTF_8), clock)) {
            progress.step(1);
            assertThat(lines()).isEmpty();
            clock.advance(Duration.ofSeconds(10));
            progress.step(9);
            progress.step(10);
            clock.advance(Duration.ofSeconds(10));
            progress.note("loss 2.50");
            progress.step(20);
        }
        assertThat(lines().lines())
                .containsExactly(
                        "tokenize: 10 of 40 shards, 1.0 shards/s, 30 s left",
                        "tokenize: 40 of 40 shards, 2.0 shards/s, in 20 s, loss 2.50",
                        "tokenize: 40 of 40 shards, 2.0 shards/s, in 20 s, loss 2.50");
    }

    @Test
    void eventsAreOneLineOfJson() {
        assertThat(EventLog.line(Instant.EPOCH, "shard_done", Map.of("name", "a\nb", "rows", 3)))
                .isEqualTo("{\"event\":\"shard_done\",\"name\":\"a\\nb\",\"rows\":3,"
                        + "\"time\":\"1970-01-01T00:00:00Z\"}");
    }

    private String lines() {
        return bytes.toString(StandardCharsets.UTF_8);
    }
}
