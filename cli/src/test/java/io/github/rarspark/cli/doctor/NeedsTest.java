package io.github.rarspark.cli.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.memory.Workload;
import io.github.rarspark.common.testing.LocalCluster;
import io.github.rarspark.conf.Layer;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.Recipes;
import java.time.Duration;
import java.util.Map;
import org.apache.spark.sql.SparkSession;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Tag("clusters")
@Timeout(180)
class NeedsTest {
    private static final Duration LIMIT = Duration.ofSeconds(90);

    @Test
    void anExecutorOfStandaloneHasAllCoresOfItsWorker() {
        try (SparkSession session = LocalCluster.start(1, 2, Map.of("spark.executor.memory", "512m"))) {
            Awaitility.await()
                    .atMost(LIMIT)
                    .until(() -> ExecutorStage.executors(session).size() == 1);
            Recipe recipe = Recipe.resolve(Layer.commandLine(Map.of()), Recipes.layer("demo"));
            assertThat(new Needs(JobContext.of(session, recipe, true), Workload.GENERATE).coresOfExecutor())
                    .isEqualTo(2);
        }
    }
}
