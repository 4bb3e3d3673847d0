package io.github.rarspark.common.spark;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.conf.ComputeDevice;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkContext;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.resource.ExecutorResourceRequests;
import org.apache.spark.resource.ResourceProfile;
import org.apache.spark.resource.ResourceProfileBuilder;
import org.apache.spark.resource.ResourceProfileManager;
import org.apache.spark.resource.TaskResourceRequests;
import org.apache.spark.sql.SparkSession;
import scala.Option;

/**
 * What the tasks of a stage get from Spark. A stage that computes on GPUs asks for one GPU a task, and for the cores that
 * the executor has for each of its GPUs; stages that plan or check ask for nothing. Driver only.
 *
 * <p>Spark can ask so for a stage alone, on executors that the session's settings describe, unless these settings give
 * every task an amount of GPUs; then that is what tasks get. Local runs have no resources: there, all cores go to one task
 * at a time, which computes on the first GPU.
 */
public final class StageResources {
    /** Spark's name of the resource. */
    static final String GPU = "gpu";

    /** The setting with the GPUs of an executor. */
    public static final String EXECUTOR_AMOUNT = "spark.executor.resource.gpu.amount";

    /** The setting with the GPUs, or the part of one, of every task. */
    public static final String TASK_AMOUNT = "spark.task.resource.gpu.amount";

    /** Where a command runs if nobody says where. */
    static final String LOCAL_MASTER = "local[*]";

    private static final String DISCOVERY = "spark.executor.resource.gpu.discoveryScript";
    private static final String VENDOR = "spark.executor.resource.gpu.vendor";

    private static final Pattern LOCAL = Pattern.compile("local(?:\\[\\s*(\\d+|\\*)\\s*(?:,.*)?])?");

    private StageResources() {}

    /**
     * Checks that the session's executors have GPUs for a job that computes on them.
     *
     * @throws JobException {@link ExitCode#UNAVAILABLE} if it asks for none, or for several for a task
     */
    public static void requireOffered(SparkSession session, JobDevice device) {
        SparkContext context = session.sparkContext();
        SparkConf conf = context.getConf();
        if (device.isGpu() && !context.isLocal() && gpusOfExecutor(conf) < 1) {
            throw new JobException(
                    ExitCode.UNAVAILABLE,
                    "Cannot compute on GPUs: the session asks for executors without any; set " + EXECUTOR_AMOUNT
                            + "=1 and " + DISCOVERY + " (docs/gpu.md), or use --device cpu");
        }
        if (device.isGpu() && conf.getDouble(TASK_AMOUNT, 1) > 1) {
            throw new JobException(
                    ExitCode.UNAVAILABLE,
                    "Cannot give a task " + conf.get(TASK_AMOUNT) + " GPUs: it computes on one; unset " + TASK_AMOUNT);
        }
    }

    /**
     * Settings for the session of a job whose tasks compute on {@code device}, if it is a local one: a task takes all
     * cores, so that one computes on the GPU at a time.
     *
     * @param master the session's
     */
    public static Map<String, String> ofLocalRun(String master, ComputeDevice device) {
        Matcher local = LOCAL.matcher(master);
        if (device != ComputeDevice.GPU || !local.matches()) {
            return Map.of();
        }
        String cores = local.group(1) == null ? "1" : local.group(1);
        return Map.of(
                "spark.task.cpus",
                cores.equals("*") ? Integer.toString(Runtime.getRuntime().availableProcessors()) : cores);
    }

    /** Whether a job on this master and device is a local run on a GPU, of one task at a time. */
    public static boolean isLocalRunOnGpu(String master, ComputeDevice device) {
        return !ofLocalRun(master.isEmpty() ? LOCAL_MASTER : master, device).isEmpty();
    }

    /** What the user should know of how tasks get their GPUs. */
    public static Optional<String> notice(SparkSession session, JobDevice device) {
        SparkConf conf = session.sparkContext().getConf();
        if (device.isGpu() && session.sparkContext().isLocal()) {
            int tasks = slots(session, device);
            return tasks == 1
                    ? Optional.empty()
                    : Optional.of(
                            tasks + " tasks at a time share the first GPU and its memory, because spark.task.cpus="
                                    + conf.get("spark.task.cpus", "1") + "; unset it to have one");
        }
        if (!conf.contains(TASK_AMOUNT)) {
            return device.isGpu() || gpusOfExecutor(conf) < 1
                    ? Optional.empty()
                    : Optional.of("the executors have GPUs (" + EXECUTOR_AMOUNT + "=" + gpusOfExecutor(conf)
                            + "), which stay idle; to compute on them, use --device gpu");
        }
        String given = "every task gets GPUs, of which " + TASK_AMOUNT + "=" + conf.get(TASK_AMOUNT);
        return Optional.of(
                device.isGpu()
                        ? given + " says how many, those that only plan or check as well; unset it to have GPUs for"
                                + " tasks that compute, one each"
                        : given + " says how many, and leaves them idle, because compute.device is cpu");
    }

    /** The same data, whose tasks get what a stage that computes on {@code device} needs. */
    public static <T> JavaRDD<T> request(SparkSession session, JobDevice device, JavaRDD<T> data) {
        return profile(session, device).map(data::withResources).orElse(data);
    }

    /** The number of tasks of such a stage that can run at the same time now. */
    public static int slots(SparkSession session, JobDevice device) {
        SparkContext context = session.sparkContext();
        // What Spark itself counts before a barrier stage: cores and resources by what one task takes.
        return context.maxNumConcurrentTasks(profile(session, device)
                .orElseGet(() -> context.resourceProfileManager().defaultResourceProfile()));
    }

    /** The GPUs of an executor with this configuration. */
    public static int gpusOfExecutor(SparkConf conf) {
        return conf.getInt(EXECUTOR_AMOUNT, 0);
    }

    /** The cores that a task of such a stage gets, with this configuration. */
    public static int cores(SparkConf conf, JobDevice device) {
        int perTask = conf.getInt("spark.task.cpus", 1);
        return device.isGpu() && !conf.contains(TASK_AMOUNT) && gpusOfExecutor(conf) > 0
                ? Math.max(perTask, conf.getInt("spark.executor.cores", 1) / gpusOfExecutor(conf))
                : perTask;
    }

    /** The executors of the session, where Spark's defaults would have no GPUs. */
    private static ExecutorResourceRequests executor(SparkConf conf) {
        ExecutorResourceRequests executor = new ExecutorResourceRequests();
        executor.resource(GPU, gpusOfExecutor(conf), conf.get(DISCOVERY, ""), conf.get(VENDOR, ""));
        if (conf.contains("spark.executor.cores")) {
            executor.cores(conf.getInt("spark.executor.cores", 1));
        }
        return executor;
    }

    private static Optional<ResourceProfile> profile(SparkSession session, JobDevice device) {
        SparkContext context = session.sparkContext();
        SparkConf conf = context.getConf();
        if (!device.isGpu() || context.isLocal() || conf.contains(TASK_AMOUNT)) {
            return Optional.empty();
        }
        TaskResourceRequests task = new TaskResourceRequests();
        task.cpus(cores(conf, device));
        task.resource(GPU, 1);
        ResourceProfileBuilder builder = new ResourceProfileBuilder().require(task);
        if (conf.getBoolean("spark.dynamicAllocation.enabled", false)) {
            builder.require(executor(conf)); // Spark starts executors for the profile, which inherit no GPUs
        }
        ResourceProfile wanted = builder.build();
        // Spark keeps all profiles of a session, so that equal ones should be one.
        ResourceProfileManager profiles = context.resourceProfileManager();
        Option<ResourceProfile> known = profiles.getEquivalentProfile(wanted);
        if (known.isDefined()) {
            return Optional.of(known.get());
        }
        profiles.addResourceProfile(wanted);
        return Optional.of(wanted);
    }
}
