package io.github.rarspark.train;

import static io.github.rarspark.common.testing.JobAssert.assertFails;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.spark.JobDevice;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.Recipes;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Test;

/** RAR-B with 4 ranks of 2 samples: 4.2 GB of state each, and 3.1 GB to copy it. */
class TrainPreFlightTest {
    private static final Recipe RAR_B = Recipes.load("rar-b")
            .with(Map.of("train.ranks", "4", "train.batch", "8", "train.threads", "4", "train.precision", "fp32"));

    private static TrainPreFlight on(String master, String... keysAndValues) {
        SparkConf conf = new SparkConf(false).set("spark.master", master);
        for (int i = 0; i < keysAndValues.length; i += 2) {
            conf.set(keysAndValues[i], keysAndValues[i + 1]);
        }
        return on(conf, JobDevice.CPU);
    }

    private static TrainPreFlight on(SparkConf conf, JobDevice device) {
        return new TrainPreFlight(conf, RAR_B.train(), TrainingCost.of(RAR_B).on(device), device);
    }

    private static TrainPreFlight onGpus(String master, String... keysAndValues) {
        return on(on(master, keysAndValues).conf(), new JobDevice(true, false));
    }

    private static String[] with(String[] settings, String... more) {
        return Stream.concat(Stream.of(settings), Stream.of(more)).toArray(String[]::new);
    }

    private static void refused(TrainPreFlight preFlight, String... words) {
        assertFails(ExitCode.UNAVAILABLE, () -> preFlight.require(1)).contains(words);
    }

    @Test
    void dynamicAllocationIsRefused() {
        refused(on("yarn", "spark.dynamicAllocation.enabled", "true"), "spark.dynamicAllocation.enabled=true");
        // Spark ignores it there.
        refused(on("local[1]", "spark.dynamicAllocation.enabled", "true"), "on 1 local task slots");
    }

    @Test
    void tooFewSlotsAreRefusedOnEveryMasterThatTells() {
        refused(on("local[1]"), "4 ranks (train.ranks) on 1 local task slots", "--master local[4]");
        refused(on("yarn"), "4 ranks (train.ranks) on 2 task slots", "spark.executor.instances=2");
        refused(
                on(
                        "k8s://https://cluster",
                        "spark.executor.instances",
                        "4",
                        "spark.executor.cores",
                        "3",
                        "spark.task.cpus",
                        "4"),
                "on 0 task slots",
                "spark.executor.cores=3 and spark.task.cpus=4");
        refused(on("spark://master:7077", "spark.cores.max", "3"), "on 3 task slots", "spark.cores.max=3");
        assertThatCode(() -> on("spark://master:7077").require(1)).doesNotThrowAnyException();
        assertThatCode(() -> on("spark://master:7077", "spark.cores.max", "4").require(1))
                .doesNotThrowAnyException();
    }

    @Test
    void aRankOnAGpuNeedsAProcessAndAGpuOfItsOwn() {
        String amount = "spark.executor.resource.gpu.amount";
        refused(onGpus("local[4]"), "4 ranks (train.ranks) on GPUs in a local run", "train.ranks=1");
        refused(onGpus("spark://m:7077", amount, "2"), "executors with 2 of them", amount + "=1");
        refused(
                onGpus("spark://m:7077", amount, "1", "spark.task.resource.gpu.amount", "0.5"),
                "spark.task.resource.gpu.amount=0.5");
        String[] three = {amount, "1", "spark.executor.cores", "8", "spark.executor.instances", "3"};
        refused(onGpus("yarn", three), "on 3 task slots");
        String[] four = with(three, "spark.executor.instances", "4");
        refused(onGpus("yarn", four), "outside the heap", "has 384 MB for that");
        assertThatCode(() -> onGpus("yarn", with(four, "spark.executor.memoryOverhead", "3500m"))
                        .require(1))
                .as("a slot for each GPU, and room for the copy of a checkpoint")
                .doesNotThrowAnyException();
        String[] cores = {amount, "1", "spark.executor.cores", "8", "spark.cores.max"};
        refused(onGpus("spark://m:7077", with(cores, "24")), "on 3 task slots", "spark.cores.max=24");
        assertThatCode(() -> onGpus("spark://m:7077", with(cores, "32")).require(1))
                .doesNotThrowAnyException();
    }

    @Test
    void aContainerWithoutRoomOutsideTheHeapIsRefusedWithTheEstimate() {
        String[] four = {"spark.executor.instances", "4"};
        refused(
                on("yarn", four),
                "an executor with 1 ranks takes about ",
                "its container has 384 MB for that",
                "set spark.executor.memoryOverhead=",
                "train.activation_checkpointing");
        refused(
                on("yarn", "spark.executor.instances", "4", "spark.executor.memory", "20g"),
                "its container has 2048 MB for that");
        refused(
                on(
                        "k8s://x",
                        "spark.executor.instances",
                        "4",
                        "spark.executor.memory",
                        "8g",
                        "spark.executor.memoryOverheadFactor",
                        "0.5"),
                "its container has 4096 MB for that");
        refused(
                on(
                        "yarn",
                        "spark.executor.instances",
                        "2",
                        "spark.executor.cores",
                        "2",
                        "spark.executor.memoryOverhead",
                        "10g"),
                "an executor with 2 ranks",
                "has 10240 MB");
        String[] offHeap = {"spark.executor.instances", "4", "spark.memory.offHeap.size", "10g"};
        refused(on("yarn", offHeap), "its container has 384 MB for that");
        assertThatCode(() -> on("yarn", with(offHeap, "spark.memory.offHeap.enabled", "true"))
                        .require(1))
                .doesNotThrowAnyException();
        assertThatCode(() -> on("k8s://x", with(four, "spark.kubernetes.memoryOverheadFactor", "9"))
                        .require(1))
                .doesNotThrowAnyException();
        assertThatCode(() -> on("yarn", "spark.executor.instances", "4", "spark.executor.memoryOverhead", "10g")
                        .require(1))
                .doesNotThrowAnyException();
    }

    @Test
    void aContainerThatCannotMapTheTokenStoreAsWellIsWarnedAbout() {
        long store = 6_600_000_000L;
        String[] four = {"spark.executor.instances", "4", "spark.executor.memoryOverhead", "10g"};
        assertThat(on("yarn", four).storeWarning(store)).hasValueSatisfying(warning -> assertThat(warning)
                .contains("has 10240 MB outside the heap", "with the token store, which is mapped"));
        assertThat(on("yarn", with(four, "spark.executor.memoryOverhead", "20g"))
                        .storeWarning(store))
                .isEmpty();
        assertThat(on("spark://master:7077").storeWarning(store)).isEmpty();
    }
}
