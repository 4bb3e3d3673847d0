package io.github.rarspark.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.cli.doctor.Doctor;
import io.github.rarspark.cli.doctor.DoctorReport;
import io.github.rarspark.cli.doctor.Finding;
import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.memory.Workload;
import io.github.rarspark.common.spark.JobDevice;
import io.github.rarspark.common.spark.SparkSessions;
import io.github.rarspark.common.spark.UnitTasks;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.Recipes;
import io.github.rarspark.kernel.testing.FakeGpus;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.yarn.api.records.ContainerReport;
import org.apache.spark.TaskContext;
import org.apache.spark.sql.SparkSession;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The four jobs on YARN in client mode, with executors in containers that have a GPU each, which is emulated. */
@Tag("clusters")
@Timeout(600)
class YarnJobsTest {
    private static final Duration LIMIT = Duration.ofSeconds(90);

    @TempDir
    private static Path folder;

    private static FourJobs jobs;
    private static Map<String, String> expected;
    private static ExecutorLoss loss;
    private static YarnCluster yarn;
    private static SparkSession session;

    @BeforeAll
    static void start() throws Exception {
        jobs = FourJobs.write(folder, folder.resolve("jobs").toUri().toString());
        expected = jobs.expected(folder);
        loss = new ExecutorLoss(folder.resolve("gate"));
        yarn = YarnCluster.start(folder.resolve("yarn"));
        Map<String, String> settings = new TreeMap<>(loss.settings());
        settings.putAll(Doctor.SETTINGS);
        settings.put("spark.executor.memoryOverhead", "1g");
        settings.put("spark.executor.extraJavaOptions", String.join(" ", FakeGpus.javaOptions()));
        settings.put(
                "spark.yarn.dist.files",
                Path.of("yarn", "resource-types.xml").toUri().toString());
        session = yarn.session(settings);
        SparkSessions.awaitSlots(session, YarnCluster.NODES, LIMIT);
    }

    @AfterAll
    static void stop() {
        if (yarn != null) {
            yarn.close();
        }
    }

    @Test
    @Tag("fault")
    void aContainerIsLostInTheTrainingAndAllEndsLikeUndisturbed() throws Exception {
        List<ContainerReport> before = executors();
        loss.during(jobs, session, yarn::executors);
        assertThat(jobs.contents(new Storage(new Configuration()))).isEqualTo(expected);
        List<ContainerReport> after = executors();
        assertEachHasOneGpu(after);
        assertThat(after).as("executors, one of them new").hasSameSizeAs(before).isNotEqualTo(before);
    }

    @Test
    void tasksComputeOnTheGpuOfTheirContainer() throws Exception {
        assertEachHasOneGpu(executors());
        FourJobs onGpus = jobs.into(folder.resolve("gpus").toUri().toString());
        // Without a checkpoint that waits.
        onGpus.run(session, Map.of("compute.device", "gpu", "train.checkpoint_every", "20"));
        for (String command : FourJobs.COMMANDS) {
            assertThat(onGpus.result(new Storage(new Configuration()), command).device())
                    .as(command)
                    .isEqualTo("gpu");
        }
        allocations().forEach((address, allocations) -> {
            int own = Integer.parseInt(address);
            assertThat(allocations.get(own))
                    .as("on GPU %s by its tasks", address)
                    .isPositive();
            assertThat(allocations.get(1 - own))
                    .as("on another by tasks of GPU %s", address)
                    .isZero();
        });
    }

    @Test
    void doctorFindsTheGpusOfContainersAndWhatTheirMemoryHolds() throws Exception {
        DoctorReport report = examine("4");
        assertThat(report.failed()).as(report.text()).isEmpty();
        assertThat(report.executors()).isEqualTo(YarnCluster.NODES);
        assertThat(of(report, "gpus of containers")).extracting(Finding::value).containsExactly("1 in each of 2");

        report = examine("256");
        assertThat(report.failed()).as(report.text()).containsExactly("memory");
        assertThat(of(report, "memory"))
                .filteredOn(one -> one.status() == Finding.Status.FAIL)
                .singleElement()
                .satisfies(one -> {
                    assertThat(one.value()).endsWith("and heap and overhead are 1.5 GiB");
                    assertThat(one.fix()).matches("set spark.executor.memoryOverhead=.* or lower train.micro_batch.*");
                });
    }

    /** What doctor finds for a training of the demo's model with so many samples at a time. */
    private static DoctorReport examine(String microBatch) throws Exception {
        Recipe recipe = Recipes.load("demo")
                .with(Map.of(
                        "train.ranks", "2",
                        "train.batch", "512",
                        "train.micro_batch", microBatch,
                        "compute.device", "cpu"));
        String output = folder.resolve("examined").toUri().toString();
        return new Doctor(JobContext.of(session, recipe, true), Workload.TRAIN, output, Clock.systemUTC()).examine();
    }

    private static List<Finding> of(DoctorReport report, String check) {
        return report.findings().stream()
                .filter(one -> one.check().equals(check))
                .toList();
    }

    /** The containers of the executors. */
    private static List<ContainerReport> executors() throws Exception {
        List<ContainerReport> all = yarn.containers(session.sparkContext().applicationId());
        assertThat(YarnCluster.gpus(all.get(0)))
                .as("GPUs of the application master")
                .isZero();
        return all.subList(1, all.size());
    }

    private static void assertEachHasOneGpu(List<ContainerReport> executors) {
        assertThat(executors).extracting(YarnCluster::gpus).containsExactly(1L, 1L);
        assertThat(executors).extracting(ContainerReport::getAssignedNode).doesNotHaveDuplicates();
    }

    /** How often each executor has allocated memory on the two devices of its process, by the address of its tasks. */
    private static Map<String, List<Long>> allocations() {
        Map<String, List<Long>> all = new TreeMap<>();
        Awaitility.await().atMost(LIMIT).until(() -> {
            UnitTasks.run(
                    session,
                    new JobDevice(true, false),
                    List.of(1, 2),
                    unit -> Map.of(
                            TaskContext.get().resources().apply("gpu").addresses()[0],
                            List.of(FakeGpus.allocations(0), FakeGpus.allocations(1))),
                    all::putAll);
            return all.size() == YarnCluster.NODES;
        });
        return all;
    }
}
