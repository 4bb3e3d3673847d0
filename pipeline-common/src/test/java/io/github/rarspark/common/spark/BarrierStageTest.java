package io.github.rarspark.common.spark;

import static io.github.rarspark.common.testing.JobAssert.assertFails;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.Failures;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.FragileCluster;
import io.github.rarspark.common.testing.LocalCluster;
import io.github.rarspark.conf.ComputeDevice;
import io.github.rarspark.conf.ComputeSettings;
import io.github.rarspark.conf.SparkSettings;
import io.github.rarspark.kernel.error.DataException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.spark.sql.SparkSession;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Tag("clusters")
@Timeout(value = 240, unit = TimeUnit.SECONDS)
class BarrierStageTest {
    private static final Map<String, String> LIMIT = Map.of("spark.rar.spark.wait_seconds", "5");

    @TempDir
    Path temp;

    @Test
    void twoExecutorsAreTwoProcessesAndMeetInABarrier() throws Exception {
        try (SparkSession session = LocalCluster.start(2, 1, Map.of())) {
            SparkSessions.describe(session, "meet in a barrier");
            Storage storage = new Storage(session.sparkContext().hadoopConfiguration());
            String directory = temp.toUri().toString();
            List<String> gathered = BarrierStage.run(
                    session,
                    JobDevice.CPU,
                    2,
                    String.class,
                    task -> {
                        String pid = Long.toString(ProcessHandle.current().pid());
                        storage.putString(Storage.child(directory, pid), pid);
                        return String.join(",", task.allGather(pid));
                    },
                    () -> {});
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
        try (SparkSession session = SparkSessions.open(
                "test",
                new SparkSettings("local[2]", 4, 600),
                new ComputeSettings(ComputeDevice.AUTO, false),
                Map.of("spark.ui.enabled", "false"))) {
            assertFails(
                    ExitCode.UNAVAILABLE,
                    () -> BarrierStage.run(
                            session, JobDevice.CPU, 3, Integer.class, task -> task.partitionId(), () -> {}));
        }
    }

    @Test
    @Tag("fault")
    void aStageWithoutExecutorsIsUnavailable() throws Exception {
        try (FragileCluster cluster = FragileCluster.withoutExecutors(temp, LIMIT)) {
            Throwable failure = FragileCluster.failureOf(cluster.submit(() -> meet(cluster)));
            assertThat(Failures.exitCode(failure)).isEqualTo(ExitCode.UNAVAILABLE);
            assertThat(failure)
                    .hasMessageStartingWith("Cannot meet: it needs 2 task slots at the same time, and 0 came within 5 s"
                            + " (spark.wait_seconds)");
        }
    }

    /** Spark counts slots when a barrier stage is submitted, and never again. */
    @Test
    @Tag("fault")
    void aStageWhoseSlotsVanishBeforeItStartsIsUnavailable() throws Exception {
        // Longer than Spark takes to notice that the executor is gone.
        Map<String, String> limit = Map.of("spark.rar.spark.wait_seconds", "12");
        try (FragileCluster cluster = FragileCluster.start(temp, 2, limit)) {
            Future<?> occupation = cluster.occupy(0, 1);
            ProcessHandle first = cluster.executor(0);
            cluster.executor(1);
            Future<?> stage = cluster.submit(() -> meet(cluster));
            Awaitility.await()
                    .atMost(60, TimeUnit.SECONDS)
                    .until(() ->
                            cluster.session().sparkContext().statusTracker().getActiveJobIds().length == 2);
            cluster.lose(first);
            cluster.release(0, 1);
            occupation.get(60, TimeUnit.SECONDS);
            Throwable failure = FragileCluster.failureOf(stage);
            assertThat(Failures.exitCode(failure)).isEqualTo(ExitCode.UNAVAILABLE);
            assertThat(failure)
                    .hasMessageStartingWith("Cannot meet: no executor took any of its 2 tasks in 12 s")
                    .hasMessageContaining("the cluster offers 1 task slots");
        }
    }

    private static void meet(FragileCluster cluster) throws InterruptedException {
        SparkSessions.describe(cluster.session(), "meet");
        BarrierStage.run(cluster.session(), JobDevice.CPU, 2, Integer.class, task -> task.partitionId(), () -> {});
    }

    @Test
    void whatATaskThrowsIsTheCauseOfTheFailure() {
        try (SparkSession session = SparkSessions.open(
                "test",
                new SparkSettings("local[2]", 4, 600),
                new ComputeSettings(ComputeDevice.AUTO, false),
                Map.of("spark.ui.enabled", "false"))) {
            assertFails(
                            ExitCode.DATA,
                            () -> BarrierStage.run(
                                    session,
                                    JobDevice.CPU,
                                    2,
                                    Integer.class,
                                    task -> {
                                        if (task.partitionId() == 1) {
                                            throw new DataException("token 900 is no code");
                                        }
                                        task.barrier();
                                        return 0;
                                    },
                                    () -> {}))
                    .isEqualTo("token 900 is no code");
        }
    }
}
