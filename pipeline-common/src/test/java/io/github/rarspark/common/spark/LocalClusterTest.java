package io.github.rarspark.common.spark;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.testing.LocalCluster;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Tag("clusters")
@Timeout(value = 240, unit = TimeUnit.SECONDS)
class LocalClusterTest {
    @TempDir
    Path temp;

    @Test
    @Tag("fault")
    void aTaskWhoseExecutorIsKilledRunsAgain() throws Exception {
        ExecutorService pool = Executors.newSingleThreadExecutor();
        try (SparkSession session = LocalCluster.start(2, 1, Map.of())) {
            JavaSparkContext context = SparkSessions.context(session);
            String marks = temp.toString();
            Future<List<Long>> job = pool.submit(() -> context.parallelize(List.of(1), 1)
                    .map(row -> awaitDeathOnce(Path.of(marks)))
                    .collect());
            Path first = temp.resolve("first");
            Awaitility.await().atMost(90, TimeUnit.SECONDS).until(() -> Files.exists(first));
            long pid = Long.parseLong(Files.readString(first));
            ProcessHandle executor = ProcessHandle.of(pid).orElseThrow();
            assertThat(executor.destroyForcibly()).isTrue();
            Awaitility.await().atMost(30, TimeUnit.SECONDS).until(() -> !executor.isAlive());
            List<Long> second = job.get(90, TimeUnit.SECONDS);
            assertThat(second)
                    .hasSize(1)
                    .doesNotContain(pid, ProcessHandle.current().pid());
        } finally {
            pool.shutdownNow();
        }
    }

    /** The first attempt writes its process number and waits to be killed; the next returns its own. */
    private static long awaitDeathOnce(Path marks) throws Exception {
        long pid = ProcessHandle.current().pid();
        Path first = marks.resolve("first");
        if (!Files.exists(first)) {
            Path part = marks.resolve("part");
            Files.writeString(part, Long.toString(pid));
            Files.move(part, first);
            Thread.currentThread().join(TimeUnit.MINUTES.toMillis(2));
        }
        return pid;
    }
}
