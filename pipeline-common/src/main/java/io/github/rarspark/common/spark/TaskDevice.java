package io.github.rarspark.common.spark;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.kernel.error.NativeLoadException;
import io.github.rarspark.kernel.gpu.GpuCheck;
import io.github.rarspark.kernel.tensor.Tf32;
import io.github.rarspark.kernel.tensor.Torch;
import java.util.Optional;
import org.apache.spark.SparkContext;
import org.apache.spark.SparkEnv;
import org.apache.spark.TaskContext;
import org.apache.spark.resource.ResourceInformation;

/**
 * The device that a task computes on while this is open: on GPUs the one whose address Spark gave the task, else the CPU.
 * Closing it frees what libtorch keeps of the GPU's memory, for the processes that share it.
 */
public final class TaskDevice implements AutoCloseable {
    /** Spark's id of the executor that runs the tasks of a local run. */
    static final String DRIVER = "driver";

    private final Device device;
    private final Tf32 tf32;

    private TaskDevice(JobDevice job, Device device, int threads) {
        this.device = device;
        Torch.setIntraOpThreads(threads);
        this.tf32 = Tf32.allowed(job.isGpu() && job.tf32());
    }

    /**
     * Opens the device of the task on this thread.
     *
     * @param threads of libtorch, for operations that this thread starts on the CPU
     * @throws JobException {@link ExitCode#UNAVAILABLE} if the job is for GPUs, and Spark gave the task none, more than
     *     one, or one that is not here
     * @throws NativeLoadException if libtorch cannot compute on it
     */
    public static TaskDevice open(JobDevice job, int threads) {
        NativeCache.choose(SparkEnv.get());
        return new TaskDevice(job, job.isGpu() ? gpuOfTask() : Device.cpu(), threads);
    }

    /**
     * Opens the driver's own device: the GPU that the cluster gave the driver, or on the user's machine the first; else the
     * CPU.
     *
     * @throws JobException {@link ExitCode#UNAVAILABLE} if the cluster gave it none
     */
    public static TaskDevice openOnDriver(JobDevice job, SparkContext context, int threads) {
        String[] given = addresses(context.resources());
        if (job.isGpu() && given.length == 0 && SparkSessions.isDriverOnCluster(context.getConf())) {
            throw new JobException(
                    ExitCode.UNAVAILABLE,
                    "Cannot compute on a GPU: the cluster gave the driver none; set spark.driver.resource.gpu.amount=1, or"
                            + " use --device cpu");
        }
        return new TaskDevice(job, job.isGpu() ? gpu(given) : Device.cpu(), threads);
    }

    /** The device. */
    public Device device() {
        return device;
    }

    /** A manager of tensors on the device, to be closed by the caller. */
    public NDManager newManager() {
        return NDManager.newBaseManager(device);
    }

    @Override
    public void close() {
        tf32.close();
        if (device.isGpu()) {
            Torch.freeCachedGpuMemory();
        }
    }

    private static Device gpuOfTask() {
        String[] given = addresses(TaskContext.get().resources());
        boolean local = SparkEnv.get().executorId().equals(DRIVER);
        if (given.length == 0 && !local) {
            throw new JobException(
                    ExitCode.UNAVAILABLE,
                    "Cannot compute on a GPU: Spark gave this task none; set " + StageResources.EXECUTOR_AMOUNT
                            + "=1, or use --device cpu");
        }
        return gpu(given);
    }

    private static String[] addresses(scala.collection.Map<String, ResourceInformation> resources) {
        return resources.contains(StageResources.GPU)
                ? resources.apply(StageResources.GPU).addresses()
                : new String[0];
    }

    private static Device gpu(String[] given) {
        Device device = Device.gpu(number(given, environment(GpuAddress.VISIBLE_DEVICES), GpuCheck.count()));
        GpuCheck.check(device);
        return device;
    }

    /** CUDA's number of the GPU: without an address, as in a local run, the first that the process sees. */
    static int number(String[] given, Optional<String> visible, int count) {
        if (given.length > 1) {
            throw new JobException(
                    ExitCode.UNAVAILABLE,
                    "Cannot compute on the GPUs " + String.join(", ", given)
                            + ", which Spark gave one task: a task computes on one; set " + StageResources.TASK_AMOUNT
                            + "=1");
        }
        return given.length == 0 ? 0 : new GpuAddress(given[0]).device(visible, count);
    }

    private static Optional<String> environment(String name) {
        return Optional.ofNullable(System.getenv(name));
    }
}
