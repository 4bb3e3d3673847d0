package io.github.rarspark.cli.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.cli.doctor.Finding.Status;
import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.memory.Workload;
import io.github.rarspark.common.testing.ClusterGpus;
import io.github.rarspark.common.testing.Jvm;
import io.github.rarspark.common.testing.LocalCluster;
import io.github.rarspark.conf.Layer;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.Recipes;
import io.github.rarspark.kernel.testing.FakeGpus;
import java.nio.file.Path;
import java.time.Clock;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Executors with GPUs, which are emulated: each process has two, numbered from 0. */
@Tag("clusters")
@Timeout(300)
class DoctorOnGpusTest {
    @TempDir
    private Path folder;

    private DoctorReport examine(SparkSession session) throws Exception {
        Map<String, String> values = Map.of(
                "train.ranks", "2", "train.micro_batch", "1", "compute.device", "gpu", "train.precision", "fp32");
        Recipe recipe = Recipe.resolve(Layer.commandLine(values), Recipes.layer("demo"));
        return new Doctor(JobContext.of(session, recipe, true), Workload.TRAIN, "", Clock.systemUTC()).examine();
    }

    private static List<Finding> of(DoctorReport report, String check) {
        return report.findings().stream()
                .filter(one -> one.check().equals(check))
                .toList();
    }

    @Test
    void eachTaskComputesOnItsOwn() throws Exception {
        try (SparkSession session = ClusterGpus.start(folder, Doctor.SETTINGS)) {
            DoctorReport report = examine(session);
            assertThat(report.failed()).as(report.text()).isEmpty();
            assertThat(of(report, "gpu")).isNotEmpty().allSatisfy(one -> assertThat(one.status())
                    .isEqualTo(Status.OK));
            assertThat(of(report, "gpu settings").get(0).value()).isEqualTo("1 per executor");
        }
    }

    /** The workers offer a GPU that their machine does not have, and the script is none. */
    @Test
    void aGpuThatIsNotThereAndAScriptThatDoesNotRunAreFound() throws Exception {
        Map<String, String> settings = new HashMap<>(ClusterGpus.settings(folder, 1, "0", "7"));
        settings.putAll(Doctor.SETTINGS);
        settings.put("spark.executor.cores", "1");
        settings.put("spark.executor.memory", "512m");
        settings.put("spark.executor.extraJavaOptions", Jvm.options() + " " + String.join(" ", FakeGpus.javaOptions()));
        settings.put(
                "spark.executor.resource.gpu.discoveryScript",
                folder.resolve("none").toString());
        try (SparkSession session = LocalCluster.start(1, 2, settings)) {
            DoctorReport report = examine(session);
            assertThat(report.failed()).as(report.text()).contains("gpu", "discovery script", "all-reduce");
            assertThat(of(report, "gpu"))
                    .filteredOn(one -> one.status() == Status.FAIL)
                    .singleElement()
                    .satisfies(one -> assertThat(one.value()).startsWith("Cannot compute on GPU 7"));
            // The other rank does not wait for it.
            assertThat(of(report, "all-reduce")).singleElement().satisfies(one -> assertThat(one.value())
                    .startsWith("Cannot compute on GPU 7"));
        }
    }
}
