package io.github.rarspark.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.run.Plan;
import io.github.rarspark.common.spark.Progress;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.Claims;
import io.github.rarspark.conf.TrainSettings;
import io.github.rarspark.train.coordinator.Report;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RankReportsTest {
    @TempDir
    Path output;

    /** Else a run that resumes from the checkpoint would have no line for what came before it. */
    @Test
    void metricsAreThereBeforeTheCheckpointCounts() throws Exception {
        Storage storage = new Storage(new Configuration());
        Plan plan = Plan.of("train", "r", Map.of(), Map.of());
        try (OutputClaim claim = Claims.claim(storage, output.toUri().toString(), plan);
                Progress progress = Progress.start("train", "steps", 8, true)) {
            MetricsLog metrics = MetricsLog.resumeAt(claim, 0);
            TrainSettings settings = Runs.recipe("none", output.resolve("none")).train();
            RankMonitor monitor = new RankMonitor(settings, System::nanoTime);
            RankReports reports =
                    new RankReports(settings, claim, metrics, progress, monitor, List.of(), Optional.empty());
            reports.handle(ProgressReports.of(4, 1.5));
            // The driver gets no further than the metrics.
            Files.createDirectories(output.resolve("checkpoints/step-000000004-a1/manifest.json"));
            assertThatThrownBy(() -> reports.handle(new Report.Checkpoint(4, "step-000000004-a1", List.of())))
                    .hasMessageContaining("manifest.json");
            assertThat(reports.last()).isEmpty();
            assertThat(Files.readAllLines(output.resolve(MetricsLog.NAME))).hasSize(1);
        }
    }
}
