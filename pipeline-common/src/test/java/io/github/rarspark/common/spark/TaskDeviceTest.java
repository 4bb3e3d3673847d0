package io.github.rarspark.common.spark;

import static io.github.rarspark.common.testing.JobAssert.assertFails;
import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDManager;
import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.testing.ClusterGpus;
import io.github.rarspark.common.testing.Jvm;
import io.github.rarspark.common.testing.LocalCluster;
import io.github.rarspark.common.testing.LocalSpark;
import io.github.rarspark.kernel.error.NativeException;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.tensor.Tf32;
import io.github.rarspark.kernel.tensor.Torch;
import io.github.rarspark.kernel.testing.FakeGpus;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.apache.spark.SparkEnv;
import org.apache.spark.TaskContext;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(value = 240, unit = TimeUnit.SECONDS)
class TaskDeviceTest {
    private static final JobDevice GPU = new JobDevice(true, true);

    @TempDir
    Path temp;

    /** The GPUs that Spark gave a task, the device of a tensor that it made, and whether TF32 was allowed. */
    private static String compute(JobDevice job) throws IOException {
        try (TaskDevice own = TaskDevice.open(job, 1);
                NDManager manager = own.newManager();
                TensorScope s = TensorScope.inference(manager)) {
            TimeUnit.MILLISECONDS.sleep(500); // so that all slots get some of the tasks
            String[] given = TaskContext.get().resources().contains("gpu")
                    ? TaskContext.get().resources().apply("gpu").addresses()
                    : new String[0];
            return String.join(" ", given) + " -> " + s.zeros(2).getDevice() + ", " + Tf32.isOn() + ", threads "
                    + Torch.intraOpThreads();
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    private static List<String> computed(SparkSession session, JobDevice job) {
        List<String> all = new ArrayList<>();
        UnitTasks.run(session, job, IntStream.range(0, 4).boxed().toList(), unit -> compute(job), all::add);
        return all;
    }

    private SparkSession cluster(String visible) throws IOException {
        Map<String, String> settings = ClusterGpus.settings(temp, 2, "1", "0");
        settings.put("spark.executor.extraJavaOptions", Jvm.options() + " " + String.join(" ", FakeGpus.javaOptions()));
        if (!visible.isEmpty()) {
            settings.put("spark.executorEnv.CUDA_VISIBLE_DEVICES", visible);
        }
        return LocalCluster.start(1, 2, settings);
    }

    @Test
    @Tag("clusters")
    void aTaskComputesOnTheGpuThatSparkGaveItAndElseOnTheCpu() throws Exception {
        try (SparkSession session = cluster("")) {
            assertThat(computed(session, GPU))
                    .containsOnly("0 -> gpu(0), true, threads 1", "1 -> gpu(1), true, threads 1");
            assertThat(computed(session, new JobDevice(true, false)))
                    .containsOnly("0 -> gpu(0), false, threads 1", "1 -> gpu(1), false, threads 1");
            assertThat(computed(session, JobDevice.CPU)).containsOnly(" -> cpu(), false, threads 1");
        }
    }

    @Test
    @Tag("clusters")
    void visibleDevicesAreCountedFromZero() throws Exception {
        try (SparkSession session = cluster("1,0")) {
            assertThat(computed(session, GPU))
                    .containsOnly("0 -> gpu(1), true, threads 1", "1 -> gpu(0), true, threads 1");
        }
    }

    @Test
    @Tag("clusters")
    void anExecutorWhoseGpuBreaksIsReplaced() throws Exception {
        try (SparkSession session = cluster("")) {
            List<String> ended = new ArrayList<>();
            UnitTasks.run(
                    session,
                    GPU,
                    List.of("aten::sum"),
                    operator -> {
                        String executor = SparkEnv.get().executorId();
                        if (executor.equals("0")) {
                            FakeGpus.breakContext(operator, 2); // after the check at the task's start
                        }
                        try (TaskDevice own = TaskDevice.open(GPU, 1);
                                NDManager manager = own.newManager();
                                TensorScope s = TensorScope.inference(manager)) {
                            float sum =
                                    s.sum(s.floats(new float[] {1, 2}, 2), 0).getFloat();
                            return "executor " + executor + ": " + sum;
                        }
                    },
                    ended::add);
            assertThat(ended).containsExactly("executor 1: 3.0");
        }
    }

    @Test
    void inALocalRunTheProcessGoesOn() {
        try (SparkSession session = LocalSpark.start(1)) {
            assertFails(
                            ExitCode.TEMPORARY,
                            () -> UnitTasks.run(
                                    session,
                                    List.of("CUDA error: misaligned address"),
                                    error -> {
                                        throw new NativeException(error);
                                    },
                                    done -> {}))
                    .contains("(CUDA error: misaligned address)", "run again");
        }
    }

    @Test
    void withoutAGpuATaskOfAJobForGpusFails() {
        try (SparkSession session = LocalSpark.start(1)) {
            assertFails(ExitCode.UNAVAILABLE, () -> computed(session, GPU))
                    .contains("Cannot compute on a GPU", "is for CPUs only", "--device cpu");
        }
    }

    @Test
    void withoutAnAddressItIsTheFirstThatTheProcessSees() {
        assertThat(TaskDevice.number(new String[0], Optional.of("2,3"), 2)).isZero();
        assertThat(TaskDevice.number(new String[] {"3"}, Optional.of("2,3"), 2)).isEqualTo(1);
    }
}
