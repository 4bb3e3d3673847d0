package io.github.rarspark.common.spark;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDManager;
import io.github.rarspark.common.testing.Jvm;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.Recipes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.spark.SparkConf;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NativeCacheTest {
    @TempDir
    Path folder;

    /**
     * Prints the path of the libtorch that a process on a cluster has loaded: {@code executor} for a task there, else the
     * driver. It is a driver in cluster mode either way, which has the directories of an executor.
     */
    public static void main(String[] args) throws Exception {
        System.setProperty("spark.master", "local[1]");
        System.setProperty("spark.submit.deployMode", "cluster");
        System.setProperty("spark.ui.enabled", "false");
        if (args[0].equals("executor")) {
            try (SparkSession session = SparkSession.builder().getOrCreate()) {
                List<Integer> one = List.of(1);
                SparkSessions.context(session).parallelize(one, 1).foreach(i -> {
                    try (TaskDevice device = TaskDevice.open(JobDevice.CPU, 1);
                            NDManager manager = device.newManager()) {
                        printLibtorch(manager);
                    }
                });
            }
        } else {
            Recipe recipe = Recipes.load("demo");
            try (SparkSession session = SparkSessions.open("driver", recipe.spark(), recipe.compute(), Map.of());
                    NDManager manager = NDManager.newBaseManager()) {
                printLibtorch(manager);
            }
        }
    }

    private static void printLibtorch(NDManager manager) throws IOException {
        assertThat(manager.create(1f).add(1f).getFloat()).isEqualTo(2f);
        try (Stream<String> maps = Files.lines(Path.of("/proc/self/maps"))) {
            maps.filter(line -> line.endsWith("/libtorch_cpu.so"))
                    .map(line -> line.substring(line.indexOf('/')))
                    .distinct()
                    .forEach(System.out::println);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"executor", "driver"})
    @Timeout(120)
    void aProcessOnAClusterUnpacksLibtorchIntoItsOwnDirectoryAndLeavesNothing(String where) throws Exception {
        Path local = Files.createDirectory(folder.resolve("local"));
        ProcessBuilder process = Jvm.of(List.of("-Xmx512m"), NativeCacheTest.class.getName(), where);
        process.environment().remove("DJL_CACHE_DIR");
        process.environment().put("SPARK_LOCAL_DIRS", local.toString());
        process.environment().put("SPARK_LOCAL_IP", "127.0.0.1");
        Path out = folder.resolve("out");
        Process running = process.redirectOutput(out.toFile())
                .redirectError(folder.resolve("err").toFile())
                .start();
        assertThat(running.waitFor(100, TimeUnit.SECONDS)).isTrue();
        assertThat(running.exitValue()).isZero();
        assertThat(Files.readAllLines(out))
                .filteredOn(line -> line.endsWith(".so"))
                .singleElement()
                .asString()
                .startsWith(local + "/")
                .contains("/blockmgr-");
        assertThat(local).isEmptyDirectory();
    }

    @ParameterizedTest
    @CsvSource({
        "0, client, false, true",
        "12, cluster, false, true",
        "driver, cluster, false, true",
        "driver, client, true, true",
        "driver, client, false, false",
        "driver,, false, false"
    })
    void onlyTheUsersMachineKeepsLibtorchInTheHomeFolder(
            String executor, String mode, boolean inPod, boolean onCluster) {
        SparkConf conf = new SparkConf(false);
        if (mode != null) {
            conf.set("spark.submit.deployMode", mode);
        }
        if (inPod) {
            conf.set("spark.kubernetes.submitInDriver", "true");
        }
        assertThat(NativeCache.isOnCluster(executor, conf)).isEqualTo(onCluster);
    }
}
