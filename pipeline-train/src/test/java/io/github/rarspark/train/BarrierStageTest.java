package io.github.rarspark.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.spark.SparkSessions;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.LocalCluster;
import io.github.rarspark.conf.SparkSettings;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Tag("clusters")
@Timeout(value = 240, unit = TimeUnit.SECONDS)
class BarrierStageTest {
    @TempDir
    Path temp;

    @Test
    void twoExecutorsAreTwoProcessesAndMeetInABarrier() {
        try (SparkSession session = LocalCluster.start(2, 1, Map.of())) {
            SparkSessions.describe(session, "meet in a barrier");
            Storage storage = new Storage(session.sparkContext().hadoopConfiguration());
            String directory = temp.toUri().toString();
            List<String> gathered = BarrierStage.run(SparkSessions.context(session), 2, String.class, task -> {
                String pid = Long.toString(ProcessHandle.current().pid());
                storage.putString(Storage.child(directory, pid), pid);
                return String.join(",", task.allGather(pid));
            });
            assertThat(gathered).hasSize(2);
            assertThat(gathered.get(0)).isEqualTo(gathered.get(1));
            List<String> pids = List.of(gathered.get(0).split(","));
            assertThat(pids).hasSize(2).doesNotHaveDuplicates();
            assertThat(pids)
                    .doesNotContain(Long.toString(ProcessHandle.current().pid()));
            assertThat(temp.toFile().list()).containsExactlyInAnyOrderElementsOf(pids);
        }
    }

    @Test
    void aStageWithTooFewSlotsIsUnavailable() {
        Map<String, String> settings = Map.of(
                "spark.ui.enabled",
                "false",
                "spark.scheduler.barrier.maxConcurrentTasksCheck.maxFailures",
                "1",
                "spark.scheduler.barrier.maxConcurrentTasksCheck.interval",
                "1s");
        try (SparkSession session = SparkSessions.open("test", new SparkSettings("local[2]", 4), settings)) {
            Throwable failure = catchThrowable(() ->
                    BarrierStage.run(SparkSessions.context(session), 3, Integer.class, task -> task.partitionId()));
            assertThat(ExitCode.of(failure)).isEqualTo(ExitCode.UNAVAILABLE);
        }
    }
}
