package io.github.rarspark.common.spark;

import io.github.rarspark.conf.ComputeDevice;
import io.github.rarspark.conf.ComputeSettings;
import java.io.Serializable;
import org.apache.spark.SparkConf;

/**
 * What the tasks of a job compute on; sent to them. The same for all, because a CPU and a GPU round differently.
 *
 * @param isGpu whether it is a GPU, of which {@link TaskDevice} finds the task's own; otherwise the CPU
 * @param tf32 whether a GPU may round the factors of fp32 products to TF32
 */
public record JobDevice(boolean isGpu, boolean tf32) implements Serializable {
    /** The CPU. */
    public static final JobDevice CPU = new JobDevice(false, false);

    /** The device of a job on executors with this configuration. */
    public static JobDevice of(SparkConf conf, ComputeSettings settings) {
        boolean given = settings.device() == ComputeDevice.AUTO && conf.contains(StageResources.TASK_AMOUNT);
        return new JobDevice(given || settings.device() == ComputeDevice.GPU, settings.tf32());
    }

    /** The device of a job that computes on the driver, to which Spark's settings of tasks do not apply. */
    public static JobDevice ofDriver(ComputeSettings settings) {
        return new JobDevice(settings.device() == ComputeDevice.GPU, settings.tf32());
    }

    /** Its name in plans and results: {@code cpu} or {@code gpu}. */
    public String label() {
        return isGpu ? "gpu" : "cpu";
    }
}
