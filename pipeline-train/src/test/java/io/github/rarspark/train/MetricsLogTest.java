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

class MetricsLogTest {
    @TempDir
    private Path output;

    @Test
    void aMalformedLineIsNamedWithTheRemedy() throws Exception {
        Path file = output.resolve(MetricsLog.NAME);
        Plan plan = Plan.of("train", "r", Map.of(), Map.of());
        try (OutputClaim claim =
                Claims.claim(new Storage(new Configuration()), output.toUri().toString(), plan)) {
            MetricsLog log = MetricsLog.resumeAt(claim, 0);
            log.add(new Report.Progress(1, 2.5, 1e-3, 0.1, 10));
            log.add(new Report.Progress(2, 1.5, 1e-3, 0.1, 10));
            log.publish();
            List<String> lines = Files.readAllLines(file);
            Files.writeString(file, lines.get(0) + "\n{\"step\":2,\"lo");
            assertFails(ExitCode.DATA, () -> MetricsLog.resumeAt(claim, 2))
                    .isEqualTo("Cannot resume " + claim.path(MetricsLog.NAME) + ": line 2 is malformed; delete this"
                            + " line and run again, which keeps the other lines");
            Files.writeString(file, lines.get(0));
            assertThat(MetricsLog.resumeAt(claim, 2).last()).isEqualTo(new Report.Progress(1, 2.5, 1e-3, 0.1, 10));
        }
    }
}
