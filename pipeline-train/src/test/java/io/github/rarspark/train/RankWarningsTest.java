package io.github.rarspark.train;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.run.Plan;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.Claims;
import io.github.rarspark.train.coordinator.Report;
import io.github.rarspark.train.tensorboard.EventReader;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RankWarningsTest {
    @TempDir
    Path output;

    private long nanos;

    @Test
    void aFloodIsCutToTenInAMinute() throws Exception {
        try (OutputClaim claim = Claims.claim(
                new Storage(new Configuration()),
                output.toUri().toString(),
                Plan.of("train", "r", Map.of(), Map.of()))) {
            MetricsLog metrics = MetricsLog.resumeAt(claim, 0);
            RankWarnings warnings = new RankWarnings(() -> nanos, metrics);
            for (int step = 1; step <= 100; step++) {
                warnings.heard(new Report.Warning(1, step, "the update is skipped"));
                nanos += Duration.ofMillis(100).toNanos();
            }
            nanos += Duration.ofMinutes(1).toNanos();
            warnings.heard(new Report.Warning(0, 101, "the update is skipped"));
            metrics.publish(101);
        }
        List<EventReader.Value> texts = EventReader.values(EventReader.folder(output), "warnings");
        assertThat(texts)
                .extracting(EventReader.Value::step)
                .containsExactly(1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L, 9L, 10L, 101L);
        assertThat(texts).first().extracting(EventReader.Value::text).isEqualTo("rank 1: the update is skipped");
        assertThat(texts)
                .last()
                .extracting(EventReader.Value::text)
                .isEqualTo("rank 0: the update is skipped (90 more warnings are in the executors' logs)");
    }
}
