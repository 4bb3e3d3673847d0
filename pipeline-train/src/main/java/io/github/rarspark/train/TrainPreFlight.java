package io.github.rarspark.train;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.spark.JobDevice;
import io.github.rarspark.common.spark.StageResources;
import io.github.rarspark.conf.TrainSettings;
import java.util.Locale;
import java.util.Optional;
import org.apache.spark.SparkConf;
import org.apache.spark.network.util.JavaUtils;

/** What a Spark configuration says before any executor is there: whether the ranks can ever run on it. Driver only. */
record TrainPreFlight(SparkConf conf, TrainSettings settings, TrainingCost cost, JobDevice device) {
    private static final double MEGABYTE = 1 << 20;
    /** Spark's defaults: of a container's memory beside the heap, and of its least. */
    private static final double OVERHEAD_FACTOR = 0.1;

    private static final long LEAST_OVERHEAD_MB = 384;

    /**
     * Checks that the ranks can run together.
     *
     * @param localSlots the task slots of a local master; anything on another
     * @throws JobException {@link ExitCode#UNAVAILABLE} if they cannot
     */
    void require(int localSlots) {
        String master = conf.get("spark.master");
        if (device.isGpu() && settings.ranks() > 1) {
            requireGpuEach(isLocal(master));
        }
        if (isLocal(master)) {
            requireLocalSlots(localSlots);
            cost.requireFits();
        } else if (conf.getBoolean("spark.dynamicAllocation.enabled", false)) {
            throw refused(
                    "Cannot train with spark.dynamicAllocation.enabled=true: all ranks have to start together, on a"
                            + " fixed number of executors; set it to false and spark.executor.instances to that number");
        } else if (isManaged(master)) {
            requireExecutors();
            requireOverhead();
        } else if (conf.contains("spark.cores.max")) {
            int perTask = Math.max(cpus(), StageResources.cores(conf, device));
            requireSlots(conf.getInt("spark.cores.max", 0) / perTask, "spark.cores.max=" + conf.get("spark.cores.max"));
        }
    }

    /** Ranks on GPUs have a GPU each, and a process: a failure of one cannot be kept from others in its process. */
    private void requireGpuEach(boolean local) {
        String ranks = "Cannot train " + settings.ranks() + " ranks (train.ranks) on GPUs ";
        int gpus = StageResources.gpusOfExecutor(conf);
        if (local) {
            throw refused(ranks + "in a local run, which is one process: each needs one of its own; use a cluster, such"
                    + " as a Standalone one on this machine, or train.ranks=1");
        }
        if (gpus > 1) {
            throw refused(ranks + "of executors with " + gpus + " of them: each needs a process of its own; set "
                    + StageResources.EXECUTOR_AMOUNT + "=1 and ask for more executors");
        }
        if (conf.getDouble(StageResources.TASK_AMOUNT, 1) != 1) {
            throw refused(ranks + "with " + StageResources.TASK_AMOUNT + "=" + conf.get(StageResources.TASK_AMOUNT)
                    + ": each needs one of its own; unset it");
        }
    }

    private static boolean isLocal(String master) {
        return master.startsWith("local") && !master.startsWith("local-cluster");
    }

    /** Whether containers limit the memory of executors. */
    private static boolean isManaged(String master) {
        return master.equals("yarn") || master.startsWith("k8s");
    }

    private int cpus() {
        return conf.getInt("spark.task.cpus", 1);
    }

    private int ranksPerExecutor() {
        return Math.max(1, slotsOfExecutor());
    }

    private int slotsOfExecutor() {
        int byCores = conf.getInt("spark.executor.cores", 1) / cpus();
        return device.isGpu() ? Math.min(byCores, StageResources.gpusOfExecutor(conf)) : byCores;
    }

    private void requireLocalSlots(int slots) {
        if (slots < settings.ranks()) {
            throw refused("Cannot start " + settings.ranks() + " ranks (train.ranks) on " + slots
                    + " local task slots; use --master local[" + settings.ranks() + "] or fewer ranks");
        }
    }

    private void requireExecutors() {
        int executors = conf.getInt("spark.executor.instances", 2);
        requireSlots(
                executors * slotsOfExecutor(),
                "spark.executor.instances=" + executors + " with spark.executor.cores="
                        + conf.getInt("spark.executor.cores", 1) + " and spark.task.cpus=" + cpus());
    }

    private void requireSlots(int slots, String settingsOfSpark) {
        if (slots < settings.ranks()) {
            throw refused(
                    "Cannot start " + settings.ranks() + " ranks (train.ranks) on " + slots + " task slots, which is"
                            + " what " + settingsOfSpark + " gives; ask for more, or use fewer ranks");
        }
    }

    /** Weights, gradients and activations are outside the heap, where containers have little room by default. */
    private void requireOverhead() {
        double given = megabytesBesideHeap();
        double needed = neededMegabytes();
        if (needed > given) {
            throw refused(String.format(
                    Locale.ROOT,
                    "Cannot train: an executor with %d ranks takes about %.0f MB outside the heap, and its container has"
                            + " %.0f MB for that; set spark.executor.memoryOverhead=%.0fm or more, or lower %s",
                    ranksOfExecutor(),
                    needed,
                    given,
                    Math.ceil(needed),
                    TrainingCost.lowerForMemory(settings)));
        }
    }

    private double neededMegabytes() {
        return cost.bytes(ranksOfExecutor()) / MEGABYTE;
    }

    private int ranksOfExecutor() {
        return Math.min(settings.ranks(), ranksPerExecutor());
    }

    /** What a container has for what is not on the executor's heap. */
    private double megabytesBesideHeap() {
        double heap = megabytes("spark.executor.memory", 1024);
        double given = conf.contains("spark.executor.memoryOverhead")
                ? megabytes("spark.executor.memoryOverhead", 0)
                : Math.max(LEAST_OVERHEAD_MB, heap * overheadFactor());
        return conf.getBoolean("spark.memory.offHeap.enabled", false)
                ? given + conf.getSizeAsBytes("spark.memory.offHeap.size", 0) / MEGABYTE
                : given;
    }

    /**
     * What the user should know of the token store, which every process maps.
     *
     * @param storeBytes its length
     */
    Optional<String> storeWarning(long storeBytes) {
        String master = conf.get("spark.master");
        if (isLocal(master)) {
            return cost.storeWarning(storeBytes);
        }
        double needed = neededMegabytes() + storeBytes / MEGABYTE;
        return !isManaged(master) || needed <= megabytesBesideHeap()
                ? Optional.empty()
                : Optional.of(String.format(
                        Locale.ROOT,
                        "the container of an executor has %.0f MB outside the heap, and with the token store, which is"
                                + " mapped, its ranks take about %.0f MB: steps may wait for the disk, and YARN may end"
                                + " the container; see the token store in docs/operations.md",
                        megabytesBesideHeap(),
                        needed));
    }

    private double overheadFactor() {
        double standard = conf.get("spark.master").startsWith("k8s")
                ? conf.getDouble("spark.kubernetes.memoryOverheadFactor", OVERHEAD_FACTOR)
                : OVERHEAD_FACTOR;
        return conf.getDouble("spark.executor.memoryOverheadFactor", standard);
    }

    private double megabytes(String key, long standard) {
        return conf.contains(key) ? JavaUtils.byteStringAsMb(conf.get(key)) : standard;
    }

    private static JobException refused(String reason) {
        return new JobException(ExitCode.UNAVAILABLE, reason);
    }
}
