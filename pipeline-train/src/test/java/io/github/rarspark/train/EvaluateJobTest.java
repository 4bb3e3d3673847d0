package io.github.rarspark.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.testing.LocalSpark;
import java.nio.file.Path;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(300)
class EvaluateJobTest {
    @TempDir
    Path folder;

    @Test
    void theLossIsMeasuredInThePrecisionOfTheRecipe() throws Exception {
        try (SparkSession session = LocalSpark.start(2)) {
            String tokens = Runs.tokens(folder);
            Path run = folder.resolve("run");
            TrainJob.run(JobContext.of(session, Runs.recipe(tokens, run), true));
            double fp32 = loss(session, tokens, run, "fp32");
            double bf16 = loss(session, tokens, run, "bf16");
            assertThat(bf16).isNotEqualTo(fp32).isCloseTo(fp32, within(0.02));
        }
    }

    private double loss(SparkSession session, String tokens, Path run, String precision) throws Exception {
        return TrainJob.run(JobContext.of(
                        session,
                        Runs.recipe(
                                tokens,
                                folder.resolve(precision),
                                "train.evaluate",
                                "true",
                                "train.init",
                                run.resolve("model.safetensors").toString(),
                                "train.precision",
                                precision),
                        true))
                .metrics()
                .get("loss");
    }
}
