package io.github.rarspark.cli.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.cli.doctor.Finding.Status;
import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.memory.Workload;
import io.github.rarspark.common.testing.LocalCluster;
import io.github.rarspark.conf.Layer;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.Recipes;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** On two executors that are processes of this machine. */
@Tag("clusters")
@Timeout(300)
class DoctorTest {
    private static SparkSession session;

    /** Made while one executor has offered its slots, but has not registered. */
    private static DoctorReport atTheStart;

    @TempDir
    private Path folder;

    @BeforeAll
    static void start() throws Exception {
        Map<String, String> settings = new HashMap<>(Doctor.SETTINGS);
        settings.put("spark.executorEnv.MALLOC_ARENA_MAX", "1");
        settings.put("spark.executor.memory", "512m");
        settings.put("spark.rar.spark.wait_seconds", "15");
        settings.put(SlowRegistration.SETTING, SlowRegistration.class.getName());
        session = LocalCluster.start(2, 1, settings);
        atTheStart = examine(Workload.TOKENIZE, Clock.systemUTC(), Map.of(), "");
    }

    @AfterAll
    static void stop() {
        session.stop();
    }

    private static Recipe recipe(Map<String, String> more) {
        Map<String, String> values = new HashMap<>(Map.of("train.ranks", "2", "train.micro_batch", "1"));
        values.putAll(more);
        return Recipe.resolve(Layer.commandLine(values), Recipes.layer("demo"));
    }

    private DoctorReport examine(Workload workload, Clock executors, Map<String, String> more) throws Exception {
        return examine(
                workload, executors, more, folder.resolve("output").toUri().toString());
    }

    private static DoctorReport examine(Workload workload, Clock executors, Map<String, String> more, String output)
            throws Exception {
        return new Doctor(JobContext.of(session, recipe(more), true), workload, output, executors).examine();
    }

    private static List<Finding> of(DoctorReport report, String check) {
        return report.findings().stream()
                .filter(one -> one.check().equals(check))
                .toList();
    }

    @Test
    void allExecutorsThatOfferSlotsAreExamined() {
        assertThat(atTheStart.executors()).as(atTheStart.text()).isEqualTo(2);
        assertThat(of(atTheStart, "java").stream().flatMap(one -> one.where().stream()))
                .containsExactlyInAnyOrder("driver", "executor 0", "executor 1");
    }

    @Test
    void aClusterThatCanTrainPasses() throws Exception {
        DoctorReport report = examine(Workload.TRAIN, Clock.systemUTC(), Map.of());
        assertThat(report.passed()).as(report.text()).isTrue();
        assertThat(report.executors()).isEqualTo(2);
        for (String check : List.of("java", "libtorch", "storage", "clock", "memory")) {
            assertThat(of(report, check).stream().flatMap(one -> one.where().stream()))
                    .as(check)
                    .containsExactlyInAnyOrder("driver", "executor 0", "executor 1");
        }
        assertThat(of(report, "ports").get(0).value()).isEqualTo("connections between ranks: 1, to the driver: 2");
        assertThat(of(report, "all-reduce").get(0).value()).startsWith("gloo, ");
        assertThat(folder).as("the tried storage").isEmptyDirectory();
    }

    @Test
    void aClockThatIsOffIsFound() throws Exception {
        Clock late = Clock.offset(Clock.systemUTC(), Duration.ofHours(-1));
        DoctorReport report = examine(Workload.TOKENIZE, late, Map.of());
        assertThat(report.failed()).containsExactly("clock");
        assertThat(of(report, "clock"))
                .filteredOn(one -> one.status() == Status.FAIL)
                .flatExtracting(Finding::where)
                .containsExactly("executor 0", "executor 1");
    }

    @Test
    void moreRanksThanSlotsAndAModelThatDoesNotFitAreFound() throws Exception {
        DoctorReport report = examine(
                Workload.TRAIN,
                Clock.systemUTC(),
                Map.of("train.ranks", "4", "model.hidden", "65536", "model.layers", "1000", "model.mlp", "262144"));
        assertThat(report.failed()).contains("executors", "memory", "memory of a machine");
    }

    @Test
    void storageThatCannotBeWrittenIsFoundByEveryProcess() throws Exception {
        Path file = Files.createFile(folder.resolve("output"));
        DoctorReport report = examine(Workload.GENERATE, Clock.systemUTC(), Map.of());
        assertThat(report.failed()).containsExactly("storage");
        assertThat(of(report, "storage").stream().flatMap(one -> one.where().stream()))
                .containsExactlyInAnyOrder("driver", "executor 0", "executor 1");
        assertThat(file).isEmptyFile();
    }
}
