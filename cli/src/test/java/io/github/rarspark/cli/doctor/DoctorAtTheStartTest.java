package io.github.rarspark.cli.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.memory.Workload;
import io.github.rarspark.common.testing.LocalCluster;
import io.github.rarspark.conf.Layer;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.Recipes;
import java.time.Clock;
import java.util.HashMap;
import java.util.Map;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Executors of which one offers its slots long before it has registered. */
@Tag("clusters")
@Timeout(180)
class DoctorAtTheStartTest {
    @Test
    void allExecutorsThatOfferSlotsAreExamined() throws Exception {
        Map<String, String> settings = new HashMap<>(Doctor.SETTINGS);
        settings.put("spark.executor.memory", "512m");
        settings.put(SlowRegistration.SETTING, SlowRegistration.class.getName());
        try (SparkSession session = LocalCluster.start(2, 1, settings)) {
            Recipe recipe = Recipe.resolve(
                    Layer.commandLine(Map.of("train.ranks", "2", "train.micro_batch", "1")), Recipes.layer("demo"));
            DoctorReport report =
                    new Doctor(JobContext.of(session, recipe, true), Workload.TRAIN, "", Clock.systemUTC()).examine();
            assertThat(report.executors()).as(report.text()).isEqualTo(2);
        }
    }
}
