package io.github.rarspark.train;

import static io.github.rarspark.common.testing.JobAssert.assertFails;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.run.Plan;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.Claims;
import io.github.rarspark.train.coordinator.Report;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MetricsLogTest {
    @TempDir
    private Path output;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"step\":2,\"lo",
                "null",
                "",
                "  ",
                "7",
                "[]",
                "{}",
                "{\"type\":\"failure\",\"rank\":1}",
                "<<<<<<< HEAD"
            })
    void aMalformedLineIsNamedWithTheRemedy(String malformed) throws Exception {
        Path file = output.resolve(MetricsLog.NAME);
        Plan plan = Plan.of("train", "r", Map.of(), Map.of());
        Report.Progress first = ProgressReports.of(1, 2.5);
        Report.Progress third = ProgressReports.of(3, 1.5);
        try (OutputClaim claim =
                Claims.claim(new Storage(new Configuration()), output.toUri().toString(), plan)) {
            MetricsLog log = MetricsLog.resumeAt(claim, 0);
            log.add(first);
            log.add(third);
            log.publish(3);
            List<String> lines = Files.readAllLines(file);
            Files.write(file, List.of(lines.get(0), malformed, lines.get(1)));
            assertFails(ExitCode.DATA, () -> MetricsLog.resumeAt(claim, 3))
                    .isEqualTo("Cannot resume " + claim.path(MetricsLog.NAME) + ": line 2 is malformed; delete this"
                            + " line and run again, which keeps the other lines");
            Files.write(file, lines);
            assertThat(MetricsLog.resumeAt(claim, 3).last()).isEqualTo(third);
            assertThat(MetricsLog.resumeAt(claim, 2).last()).isEqualTo(first);
        }
    }

    /** The loss of a skipped update may be no number; and earlier versions wrote fewer keys. */
    @Test
    void linesOfSkippedUpdatesAndOfEarlierVersionsAreKept() throws Exception {
        Path file = output.resolve(MetricsLog.NAME);
        Plan plan = Plan.of("train", "r", Map.of(), Map.of());
        try (OutputClaim claim =
                Claims.claim(new Storage(new Configuration()), output.toUri().toString(), plan)) {
            MetricsLog log = MetricsLog.resumeAt(claim, 0);
            log.add(ProgressReports.of(2, Double.NaN));
            log.publish(2);
            String skipped = Files.readAllLines(file).get(0);
            assertThat(skipped).contains("\"loss\":\"NaN\"");
            String earlier = "{\"type\":\"progress\",\"step\":1,\"loss\":2.5,\"learning_rate\":1e-3,"
                    + "\"gradient_norm\":0.1,\"images_per_second\":10}";
            Files.write(file, List.of(earlier, skipped));
            MetricsLog resumed = MetricsLog.resumeAt(claim, 2);
            resumed.publish(2);
            assertThat(Files.readAllLines(file)).hasSize(2).last().isEqualTo(skipped);
            assertThat(Files.readAllLines(file).get(0)).contains("\"step\":1,\"loss\":2.5,");
        }
    }
}
