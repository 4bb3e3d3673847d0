package io.github.rarspark.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.cli.doctor.Doctor;
import io.github.rarspark.cli.doctor.DoctorReport;
import io.github.rarspark.cli.doctor.Finding;
import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.memory.Workload;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.Recipes;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What doctor finds on YARN, whose containers have memory and GPUs that are counted. */
@Tag("clusters")
@Timeout(300)
class YarnDoctorTest {
    @TempDir
    private static Path folder;

    private static YarnCluster yarn;

    @BeforeAll
    static void start() throws Exception {
        yarn = YarnCluster.start(folder.resolve("yarn"));
    }

    @AfterAll
    static void stop() {
        if (yarn != null) {
            yarn.close();
        }
    }

    private static DoctorReport examine(Map<String, String> settings) throws Exception {
        Map<String, String> all = new TreeMap<>(Doctor.SETTINGS);
        all.putAll(settings);
        Recipe recipe = Recipes.load("demo")
                .with(Map.of("train.ranks", "2", "train.micro_batch", "4", "compute.device", "cpu"));
        try (SparkSession session = yarn.session(all)) {
            String output = folder.resolve("output").toUri().toString();
            return new Doctor(JobContext.of(session, recipe, true), Workload.TRAIN, output, Clock.systemUTC())
                    .examine();
        }
    }

    private static List<Finding> of(DoctorReport report, String check) {
        return report.findings().stream()
                .filter(one -> one.check().equals(check))
                .toList();
    }

    @Test
    void containersWithMemoryAndGpusPass() throws Exception {
        DoctorReport report = examine(Map.of(
                "spark.executor.memoryOverhead",
                "1g",
                "spark.yarn.dist.files",
                Path.of("yarn", "resource-types.xml").toUri().toString()));
        assertThat(report.failed()).as(report.text()).isEmpty();
        assertThat(report.executors()).isEqualTo(YarnCluster.NODES);
        assertThat(of(report, "gpus of containers")).singleElement().satisfies(one -> assertThat(one.value())
                .isEqualTo("1 in each of 2"));
    }

    /** The application master does not know GPUs, and the overhead is what Spark takes by default. */
    @Test
    void containersWithoutGpusAndWithTooLittleMemoryAreFound() throws Exception {
        DoctorReport report = examine(Map.of("spark.executor.memoryOverhead", "384m"));
        assertThat(report.failed()).as(report.text()).containsExactly("memory", "gpus of containers");
        assertThat(of(report, "gpus of containers").get(0).value())
                .isEqualTo("2 of 2 containers have less than 1 yarn.io/gpu");
        assertThat(of(report, "memory"))
                .filteredOn(one -> one.status() == Finding.Status.FAIL)
                .singleElement()
                .satisfies(one -> {
                    assertThat(one.value()).endsWith("and heap and overhead are 896 MiB");
                    assertThat(one.fix()).startsWith("set spark.executor.memoryOverhead=1g or lower train.micro_batch");
                });
    }
}
