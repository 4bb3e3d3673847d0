package io.github.rarspark.common.spark;

import static io.github.rarspark.common.testing.JobAssert.assertFails;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.conf.ComputeDevice;
import io.github.rarspark.conf.ComputeSettings;
import io.github.rarspark.conf.SparkSettings;
import io.github.rarspark.kernel.error.NativeMemoryException;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class SparkSessionsTest {
    private static final Map<String, String> SETTINGS =
            Map.of("spark.ui.enabled", "false", "spark.driver.host", "127.0.0.1");

    @Test
    void aSessionRunsDescribedJobsAndReportsTheirFailures() throws Exception {
        try (SparkSession session = SparkSessions.open(
                "test",
                new SparkSettings("local[2]", 1.5, 90),
                new ComputeSettings(ComputeDevice.AUTO, false),
                SETTINGS)) {
            JavaSparkContext context = SparkSessions.context(session);
            assertThat(context.appName()).isEqualTo("test");
            assertThat(context.getConf().get("spark.barrier.sync.timeout")).isEqualTo("600");
            assertThat(context.getConf().get("spark.executorEnv.MALLOC_ARENA_MAX"))
                    .isEqualTo("1");
            long cache = context.parallelize(List.of(1), 1)
                    .map(row -> SparkSessions.weightsCacheBytes(SparkEnv.get().conf()))
                    .first();
            assertThat(cache).isEqualTo(1_500_000_000L);
            Duration wait = context.parallelize(List.of(1), 1)
                    .map(row -> SparkSessions.waitLimit(SparkEnv.get().conf()))
                    .first();
            assertThat(wait).isEqualTo(Duration.ofSeconds(90));
            assertThat(SparkSessions.waitLimit(new SparkConf(false))).isEqualTo(Duration.ofSeconds(600));
            assertThat(SparkSessions.weightsCacheBytes(new SparkConf(false))).isEqualTo(4_000_000_000L);
            SparkSessions.describe(session, "count 2 rows");
            assertThat(context.getLocalProperty("spark.job.description")).isEqualTo("count 2 rows");

            SparkSessions.awaitSlots(session, 2, Duration.ofSeconds(1));
            assertFails(ExitCode.UNAVAILABLE, () -> SparkSessions.awaitSlots(session, 3, Duration.ofDays(1)))
                    .isEqualTo(
                            "Cannot count 2 rows: it needs 3 task slots at the same time, and 2 are there; use --master"
                                    + " local[3]");

            assertFails(ExitCode.DATA, () -> context.parallelize(List.of(1), 1)
                            .map(row -> {
                                throw new JobException(ExitCode.DATA, "row " + row + " is bad", new IOException());
                            })
                            .collect())
                    .isEqualTo("row 1 is bad");

            assertFails(
                            ExitCode.UNAVAILABLE,
                            () -> UnitTasks.run(
                                    session,
                                    List.of(1),
                                    unit -> {
                                        throw new NativeMemoryException("8 bytes").lowering("generate.batch");
                                    },
                                    done -> {}))
                    .isEqualTo("Out of memory for tensors: lower generate.batch (8 bytes)");
        }
    }
}
