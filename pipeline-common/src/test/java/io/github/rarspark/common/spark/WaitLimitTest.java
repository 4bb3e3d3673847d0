package io.github.rarspark.common.spark;

import static io.github.rarspark.common.testing.FragileCluster.failureOf;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.Failures;
import io.github.rarspark.common.testing.FragileCluster;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Jobs whose executors never come, or are lost and not replaced, end by themselves. */
@Tag("clusters")
@Tag("fault")
@Timeout(value = 240, unit = TimeUnit.SECONDS)
class WaitLimitTest {
    private static final Map<String, String> LIMIT = Map.of("spark.rar.spark.wait_seconds", "5");

    @TempDir
    Path temp;

    @Test
    void aJobWithoutExecutorsIsUnavailable() throws Exception {
        try (FragileCluster cluster = FragileCluster.withoutExecutors(temp, LIMIT)) {
            Throwable failure = failureOf(cluster.submit(() -> {
                SparkSessions.describe(cluster.session(), "count 3 units");
                UnitTasks.run(cluster.session(), List.of(1, 2, 3), unit -> unit, result -> {});
            }));
            assertThat(Failures.exitCode(failure)).isEqualTo(ExitCode.UNAVAILABLE);
            assertThat(failure)
                    .hasMessage("Cannot count 3 units: no executor took any of its 3 tasks in 5 s (spark.wait_seconds);"
                            + " the cluster offers 0 task slots; free the cluster, ask for smaller executors, or wait"
                            + " longer");
            // What is given up is also taken from Spark.
            Awaitility.await().atMost(30, TimeUnit.SECONDS).until(() -> activeJobs(cluster) == 0);
        }
    }

    private static int activeJobs(FragileCluster cluster) {
        return cluster.session().sparkContext().statusTracker().getActiveJobIds().length;
    }

    @Test
    void aJobWhoseExecutorsAreLostIsTemporary() throws Exception {
        try (FragileCluster cluster = FragileCluster.start(temp, 1, LIMIT)) {
            Future<?> job = cluster.occupy(0, 1);
            cluster.release(0);
            cluster.lose(cluster.executor(1));
            Throwable failure = failureOf(job);
            assertThat(Failures.exitCode(failure)).isEqualTo(ExitCode.TEMPORARY);
            assertThat(failure)
                    .hasMessage("Cannot continue to run a job: after 1 of 2 tasks no executor took another one in 5 s"
                            + " (spark.wait_seconds); the cluster offers 0 task slots; run again to resume");
        }
    }

    /** Spark drops events when its listeners are too slow; what they are not told must not keep a job waiting. */
    @Test
    void aJobWhoseListenersMissTheEndOfItsTaskIsTemporary() throws Exception {
        Map<String, String> settings = new HashMap<>(LIMIT);
        settings.putAll(BusyListeners.capacity(100));
        try (FragileCluster cluster = FragileCluster.start(temp, 1, settings)) {
            Future<?> job = cluster.occupy(0);
            ProcessHandle executor = cluster.executor(0);
            try (BusyListeners busy = BusyListeners.block(cluster.session().sparkContext(), 100)) {
                cluster.lose(executor);
                assertThat(failureOf(job))
                        .hasMessageStartingWith("Cannot continue to run a job: after 0 of 1 tasks no executor took"
                                + " another one in 5 s (spark.wait_seconds)");
            }
        }
    }

    /** A Standalone cluster gives up an application whose executors cannot be started; then Spark stops itself. */
    @Test
    void aJobThatTheClusterGivesUpCanBeRetried() throws Exception {
        try (FragileCluster cluster = FragileCluster.start(temp, 1, Map.of("spark.deploy.maxExecutorRetries", "1"))) {
            Future<?> job = cluster.occupy(0);
            cluster.lose(cluster.executor(0));
            Throwable failure = failureOf(job);
            // Either the job is told first, or the context has stopped.
            assertThat(failure)
                    .hasMessageMatching("(?s).*(Master removed our application: FAILED|"
                            + "cancelled because SparkContext was shut down).*");
            assertThat(Failures.exitCode(failure)).isIn(ExitCode.TEMPORARY, ExitCode.INTERRUPTED);
            Awaitility.await().atMost(30, TimeUnit.SECONDS).until(() -> Thread.getAllStackTraces().keySet().stream()
                    .noneMatch(thread -> thread.getName().equals("stop-spark-context")));
        }
    }
}
