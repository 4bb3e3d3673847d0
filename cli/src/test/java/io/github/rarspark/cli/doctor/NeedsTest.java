package io.github.rarspark.cli.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.memory.Workload;
import io.github.rarspark.common.spark.SparkSessions;
import io.github.rarspark.common.testing.StandaloneCluster;
import io.github.rarspark.conf.Layer;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.Recipes;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.apache.spark.sql.SparkSession;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Tag("clusters")
@Timeout(180)
class NeedsTest {
    private static final Duration LIMIT = Duration.ofSeconds(90);

    @TempDir
    private Path folder;

    @Test
    void anExecutorOfStandaloneHasAllCoresOfItsWorker() throws Exception {
        try (StandaloneCluster cluster = StandaloneCluster.start(folder.resolve("cluster"), 1, 2)) {
            SparkSession session = cluster.session(Map.of());
            SparkSessions.awaitSlots(session, 2, LIMIT);
            Awaitility.await()
                    .atMost(LIMIT)
                    .until(() -> ExecutorStage.executors(session).size() == 1);
            Recipe recipe = Recipe.resolve(Layer.commandLine(Map.of()), Recipes.layer("demo"));
            assertThat(new Needs(JobContext.of(session, recipe, true), Workload.GENERATE).coresOfExecutor())
                    .isEqualTo(2);
        }
    }
}
