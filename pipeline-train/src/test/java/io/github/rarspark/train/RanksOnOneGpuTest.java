package io.github.rarspark.train;

import static io.github.rarspark.common.testing.JobAssert.assertFails;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.testing.ClusterGpus;
import io.github.rarspark.conf.Recipe;
import java.nio.file.Path;
import java.util.Map;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Tag("clusters")
@Timeout(300)
class RanksOnOneGpuTest {
    @TempDir
    private Path folder;

    @Test
    void aGpuWithoutFreeMemoryIsToldWithTheSettings() throws Exception {
        Recipe recipe =
                Runs.recipe(Runs.tokens(folder), folder.resolve("run"), "compute.device", "gpu", "train.steps", "4");
        try (SparkSession session = ClusterGpus.start(folder, Map.of("spark.executorEnv.FAKE_CUDA_MEMORY", "0"))) {
            assertFails(ExitCode.UNAVAILABLE, () -> TrainJob.run(JobContext.of(session, recipe, true)))
                    .contains("lower train.micro_batch", "CUDA out of memory");
        }
    }

    /** Each executor sees one GPU, which is then its own, whatever address Spark gives it: here, both see the same. */
    @Test
    void areRefusedBeforeTheyJoin() throws Exception {
        Recipe recipe =
                Runs.recipe(Runs.tokens(folder), folder.resolve("run"), "compute.device", "gpu", "train.steps", "4");
        try (SparkSession session = ClusterGpus.start(folder, Map.of("spark.executorEnv.CUDA_VISIBLE_DEVICES", "0"))) {
            assertFails(ExitCode.UNAVAILABLE, () -> TrainJob.run(JobContext.of(session, recipe, true)))
                    .contains("ranks 0 and 1 are both on GPU", "discovery script");
        }
    }
}
