package io.github.rarspark.cli.doctor;

import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.jni.LibUtils;
import ai.djl.util.Utils;
import com.sun.jna.NativeLibrary;
import com.sun.management.OperatingSystemMXBean;
import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.spark.JobDevice;
import io.github.rarspark.common.spark.TaskDevice;
import io.github.rarspark.common.spark.UnitTasks;
import io.github.rarspark.kernel.gpu.GpuCheck;
import io.github.rarspark.kernel.tensor.TensorScope;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.hadoop.util.VersionInfo;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkEnv;
import org.apache.spark.TaskContext;
import org.apache.spark.resource.ResourceInformation;

/**
 * Finds out what a process has, in a task on an executor or on the driver.
 *
 * @param device what the job's tasks compute on
 * @param clock the process's
 * @param storage tries the storage; null to leave it out
 */
record ProcessProbe(JobDevice device, Clock clock, StorageProbe storage)
        implements UnitTasks.Work<String, ProcessFacts> {
    private static final long serialVersionUID = 1;

    /** The environment variables that decide how a process behaves here. */
    private static final List<String> VARIABLES =
            List.of("MALLOC_ARENA_MAX", "LC_ALL", "LC_MESSAGES", "LANG", "CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS");

    /** The driver's name, and Spark's id of the executor that runs the tasks of a local run. */
    static final String DRIVER = "driver";

    private static final String GPU = "gpu";
    private static final Path MACHINE_MEMORY = Path.of("/proc/meminfo");

    @Override
    public ProcessFacts run(String expected) {
        String id = SparkEnv.get().executorId();
        return facts(
                id.equals(DRIVER) ? DRIVER : "executor " + id, SparkEnv.get().conf());
    }

    /** The facts of this process. */
    ProcessFacts facts(String process, SparkConf conf) {
        Probed<String> libtorch = Probed.of(ProcessProbe::compute);
        Disk cache =
                Disk.probe(Utils.getEngineCacheDir()); // which a process on a cluster chooses when it first computes
        return new ProcessFacts(
                process,
                host(),
                versions(),
                System.getProperty("os.name") + " " + System.getProperty("os.arch"),
                Probed.of(() -> NativeLibrary.getInstance("c")
                        .getFunction("gnu_get_libc_version")
                        .invokeString(new Object[0], false)),
                System.getProperty("sun.jnu.encoding", ""),
                environment(),
                Runtime.getRuntime().availableProcessors(),
                memory(),
                Stream.of(org.apache.spark.util.Utils.getConfiguredLocalDirs(conf))
                        .map(folder -> Disk.probe(Path.of(folder)))
                        .toList(),
                Disk.probe(Path.of(System.getProperty("java.io.tmpdir"))),
                cache,
                libtorch,
                device.isGpu() && TaskContext.get() != null ? gpu(conf) : null,
                clock.instant(),
                storage == null ? null : Probed.of(() -> storage.run(process)));
    }

    private static String host() {
        SparkEnv env = SparkEnv.get();
        return env == null
                ? InetAddress.getLoopbackAddress().getHostAddress()
                : env.blockManager().blockManagerId().host();
    }

    private static Map<String, String> versions() {
        Map<String, String> versions = new LinkedHashMap<>();
        versions.put("java", Runtime.version().toString());
        versions.put("spark", org.apache.spark.package$.MODULE$.SPARK_VERSION());
        versions.put("scala", scala.util.Properties.versionNumberString());
        versions.put("hadoop", VersionInfo.getVersion());
        return versions;
    }

    private static Map<String, String> environment() {
        Map<String, String> given = new TreeMap<>(System.getenv());
        given.keySet().retainAll(VARIABLES);
        return given;
    }

    private static ProcessFacts.Memory memory() {
        OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        // What Java calls the total is the container's, if that has a limit.
        long limit = system.getTotalMemorySize();
        return new ProcessFacts.Memory(Runtime.getRuntime().maxMemory(), limit, Math.max(limit, machineBytes()));
    }

    private static long machineBytes() {
        try (Stream<String> lines = Files.lines(MACHINE_MEMORY)) {
            return lines.filter(line -> line.startsWith("MemTotal:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024)
                    .findFirst()
                    .orElse(0);
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot read " + MACHINE_MEMORY, e);
        }
    }

    /** Which libtorch computes a sum on the CPU. */
    private static String compute() {
        try (TaskDevice cpu = TaskDevice.open(JobDevice.CPU, 1);
                NDManager manager = cpu.newManager();
                TensorScope scope = TensorScope.inference(manager)) {
            float sum = scope.sum(scope.floats(new float[] {1, 2}, 2), 0).getFloat();
            if (sum != 3) {
                throw new JobException(ExitCode.UNAVAILABLE, "Cannot compute: 1 + 2 is " + sum);
            }
            return "libtorch " + LibUtils.getVersion() + " in " + LibUtils.getLibtorchPath();
        }
    }

    private ProcessFacts.Gpu gpu(SparkConf conf) {
        scala.collection.Map<String, ResourceInformation> resources =
                TaskContext.get().resources();
        List<String> addresses =
                resources.contains(GPU) ? List.of(resources.apply(GPU).addresses()) : List.of();
        String script = conf.get("spark.executor.resource.gpu.discoveryScript", "");
        return new ProcessFacts.Gpu(
                addresses,
                Probed.of(() -> {
                    try (TaskDevice own = TaskDevice.open(device, 1)) {
                        return GpuCheck.check(own.device());
                    }
                }),
                script.isEmpty() ? null : Probed.of(() -> DiscoveryScript.run(Path.of(script))));
    }
}
