package io.github.rarspark.common.spark;

import static io.github.rarspark.common.testing.JobAssert.assertFails;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.testing.ClusterGpus;
import io.github.rarspark.common.testing.LocalCluster;
import io.github.rarspark.common.testing.LocalSpark;
import io.github.rarspark.conf.ComputeDevice;
import io.github.rarspark.conf.ComputeSettings;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.apache.spark.SparkConf;
import org.apache.spark.TaskContext;
import org.apache.spark.resource.ResourceInformation;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import scala.Option;

/** The GPUs are addresses that a discovery script prints; nothing computes on them. */
@Timeout(value = 240, unit = TimeUnit.SECONDS)
class StageResourcesTest {
    private static final JobDevice GPU = new JobDevice(true, false);

    @TempDir
    Path temp;

    /** What a task got: {@code addresses, cores}. */
    private static List<String> given(SparkSession session, JobDevice device, int tasks) {
        List<String> all = new ArrayList<>();
        UnitTasks.run(
                session, device, IntStream.range(0, tasks).boxed().toList(), StageResourcesTest::describe, all::add);
        return all;
    }

    private static String describe(int unit) throws IOException {
        try {
            TimeUnit.MILLISECONDS.sleep(500); // so that all slots get some of the tasks
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
        TaskContext task = TaskContext.get();
        Option<ResourceInformation> gpu = task.resources().get("gpu");
        return (gpu.isEmpty() ? "none" : String.join(" ", gpu.get().addresses())) + ", " + task.cpus();
    }

    /** Settings for an executor of four cores with two GPUs. */
    private Map<String, String> gpus(String... more) throws IOException {
        Map<String, String> settings = ClusterGpus.settings(temp, 2, "4", "7");
        settings.put("spark.executor.cores", "4");
        for (int i = 0; i < more.length; i += 2) {
            settings.put(more[i], more[i + 1]);
        }
        return settings;
    }

    @Test
    @Tag("clusters")
    void aStageThatComputesGetsAGpuForEachTaskAndTheCoresBesideIt() throws Exception {
        try (SparkSession session = LocalCluster.start(1, 4, gpus())) {
            StageResources.requireOffered(session, GPU);
            assertThat(StageResources.notice(session, GPU)).isEmpty();
            assertThat(StageResources.notice(session, JobDevice.CPU).orElseThrow())
                    .contains("spark.executor.resource.gpu.amount=2", "stay idle", "--device gpu");
            assertThat(StageResources.slots(session, GPU)).isEqualTo(2);
            assertThat(StageResources.slots(session, JobDevice.CPU)).isEqualTo(4);
            assertThat(given(session, GPU, 6)).containsOnly("4, 2", "7, 2");
            assertThat(given(session, JobDevice.CPU, 4)).containsOnly("none, 1");
        }
    }

    @Test
    @Tag("clusters")
    void withDynamicAllocationExecutorsAreStartedForTheStage() throws Exception {
        Map<String, String> settings = gpus(
                "spark.dynamicAllocation.enabled", "true",
                "spark.dynamicAllocation.shuffleTracking.enabled", "true",
                "spark.dynamicAllocation.minExecutors", "0",
                "spark.dynamicAllocation.executorIdleTimeout", "1s");
        try (SparkSession session = LocalCluster.open(1, 4, settings)) {
            assertThat(given(session, GPU, 4)).containsOnly("4, 2", "7, 2");
            assertThat(given(session, JobDevice.CPU, 4)).containsOnly("none, 1");
        }
    }

    @Test
    @Tag("clusters")
    void amountsOfTheSessionComeFirst() throws Exception {
        Map<String, String> settings = gpus("spark.task.resource.gpu.amount", "1", "spark.task.cpus", "2");
        try (SparkSession session = LocalCluster.open(1, 4, settings)) {
            SparkSessions.awaitSlots(session, 2, Duration.ofSeconds(90));
            assertThat(StageResources.notice(session, GPU).orElseThrow())
                    .contains("spark.task.resource.gpu.amount=1", "unset it");
            assertThat(StageResources.notice(session, JobDevice.CPU).orElseThrow())
                    .contains("leaves them idle", "compute.device is cpu");
            assertThat(given(session, GPU, 4)).containsOnly("4, 2", "7, 2");
            assertThat(given(session, JobDevice.CPU, 4)).containsOnly("4, 2", "7, 2");
        }
    }

    @Test
    void executorsWithoutGpusAreRefused() {
        try (SparkSession session = LocalCluster.open(1, 1, Map.of())) {
            StageResources.requireOffered(session, JobDevice.CPU);
            assertFails(ExitCode.UNAVAILABLE, () -> StageResources.requireOffered(session, GPU))
                    .contains("spark.executor.resource.gpu.amount=1", "discoveryScript", "--device cpu");
        }
    }

    @Test
    void aTaskComputesOnOneGpu() {
        Map<String, String> settings = Map.of(
                "spark.executor.resource.gpu.amount", "2",
                "spark.task.resource.gpu.amount", "2",
                "spark.executor.resource.gpu.discoveryScript", "/none");
        try (SparkSession session = LocalCluster.open(1, 1, settings)) {
            assertFails(ExitCode.UNAVAILABLE, () -> StageResources.requireOffered(session, GPU))
                    .contains("Cannot give a task 2 GPUs", "unset spark.task.resource.gpu.amount");
        }
    }

    @Test
    void aLocalRunAsksForNothing() {
        try (SparkSession session = LocalSpark.start(2)) {
            StageResources.requireOffered(session, GPU);
            assertThat(StageResources.slots(session, GPU)).isEqualTo(2);
            assertThat(StageResources.notice(session, GPU).orElseThrow())
                    .contains("2 tasks at a time share the first GPU", "spark.task.cpus=1; unset it");
            assertThat(StageResources.notice(session, JobDevice.CPU)).isEmpty();
            assertThat(given(session, GPU, 2)).containsOnly("none, 1");
        }
    }

    @Test
    void aLocalRunOnAGpuHasOneTaskAtATime() {
        assertThat(StageResources.ofLocalRun("local[6]", ComputeDevice.GPU)).isEqualTo(Map.of("spark.task.cpus", "6"));
        assertThat(StageResources.ofLocalRun("local[6, 4]", ComputeDevice.GPU))
                .isEqualTo(Map.of("spark.task.cpus", "6"));
        assertThat(StageResources.ofLocalRun("local", ComputeDevice.GPU)).isEqualTo(Map.of("spark.task.cpus", "1"));
        int all = Runtime.getRuntime().availableProcessors();
        assertThat(StageResources.ofLocalRun("local[*]", ComputeDevice.GPU))
                .isEqualTo(Map.of("spark.task.cpus", Integer.toString(all)));
        assertThat(StageResources.ofLocalRun("local[6]", ComputeDevice.AUTO)).isEmpty();
        assertThat(StageResources.ofLocalRun("local-cluster[1,1,1024]", ComputeDevice.GPU))
                .isEmpty();
        assertThat(StageResources.ofLocalRun("yarn", ComputeDevice.GPU)).isEmpty();
    }

    @Test
    void theDeviceIsTheRecipesElseWhatTasksGet() {
        SparkConf without = new SparkConf(false);
        SparkConf with = new SparkConf(false).set("spark.task.resource.gpu.amount", "1");
        assertThat(device(without, ComputeDevice.AUTO)).isEqualTo("cpu");
        assertThat(device(with, ComputeDevice.AUTO)).isEqualTo("gpu");
        assertThat(device(with, ComputeDevice.CPU)).isEqualTo("cpu");
        assertThat(device(without, ComputeDevice.GPU)).isEqualTo("gpu");
        assertThat(JobDevice.ofDriver(new ComputeSettings(ComputeDevice.AUTO, false)))
                .isEqualTo(JobDevice.CPU);
    }

    private static String device(SparkConf conf, ComputeDevice device) {
        return JobDevice.of(conf, new ComputeSettings(device, false)).label();
    }
}
