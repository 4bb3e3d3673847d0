package io.github.rarspark.cli.doctor;

import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.memory.MemoryNeeds;
import io.github.rarspark.common.memory.Workload;
import io.github.rarspark.common.spark.JobDevice;
import io.github.rarspark.common.spark.SparkSessions;
import io.github.rarspark.common.spark.StageResources;
import io.github.rarspark.common.tokens.TokenShape;
import io.github.rarspark.common.tokens.TokenSource;
import io.github.rarspark.conf.ModelSettings;
import io.github.rarspark.conf.Recipe;
import java.io.IOException;
import java.util.OptionalLong;
import org.apache.spark.SparkConf;

/** What the processes of a job need, by its recipe, and what the session asks the cluster for. */
record Needs(JobContext context, Workload workload) {
    private static final double OVERHEAD_FACTOR = 0.1;
    private static final long LEAST_OVERHEAD_MIB = 384;
    private static final long MEBIBYTE = 1 << 20;

    private SparkConf conf() {
        return context.session().sparkContext().getConf();
    }

    private Recipe recipe() {
        return context.recipe();
    }

    private boolean isLocal() {
        return context.session().sparkContext().isLocal();
    }

    /** The cores that Spark uses of an executor. */
    int coresOfExecutor() {
        if (isLocal()) {
            return context.session().sparkContext().defaultParallelism();
        }
        if (isStandalone() && !conf().contains("spark.executor.cores")) {
            // A worker gives an executor all of its cores.
            int slots = StageResources.slots(context.session(), JobDevice.CPU);
            int executors = ExecutorStage.executors(context.session()).size();
            return Math.max(1, slots * conf().getInt("spark.task.cpus", 1) / Math.max(1, executors));
        }
        return conf().getInt("spark.executor.cores", 1);
    }

    private boolean isStandalone() {
        String master = conf().get("spark.master");
        return master.startsWith("spark://") || master.startsWith("local-cluster");
    }

    private MemoryNeeds.Load load() {
        JobDevice device = context.device();
        int perTask = StageResources.cores(conf(), device);
        int byCores = Math.max(1, coresOfExecutor() / perTask);
        int tasks = device.isGpu() ? Math.max(1, Math.min(byCores, StageResources.gpusOfExecutor(conf()))) : byCores;
        return new MemoryNeeds.Load(
                device.isGpu(),
                workload == Workload.TRAIN ? Math.min(tasks, recipe().train().ranks()) : tasks,
                perTask);
    }

    /** The checks of the executors' memory; of a local run, of the one process. */
    MemoryChecks ofExecutors() {
        MemoryNeeds executor = MemoryNeeds.ofExecutor(recipe(), workload, load());
        return new MemoryChecks(
                isLocal() ? executor.and(MemoryNeeds.ofDriver(recipe(), workload)) : executor,
                granted("executor"),
                "spark.executor.memoryOverhead",
                workload.lessMemory(recipe()));
    }

    /** The check of the driver's memory. */
    MemoryChecks ofDriver() {
        boolean inContainer = SparkSessions.isDriverOnCluster(conf());
        return new MemoryChecks(
                MemoryNeeds.ofDriver(recipe(), workload),
                inContainer ? granted("driver") : OptionalLong.empty(),
                "spark.driver.memoryOverhead",
                "use fewer images");
    }

    /**
     * Heap and overhead that YARN or Kubernetes grants, as Spark asks for them; empty elsewhere.
     *
     * @param role {@code driver} or {@code executor}
     */
    private OptionalLong granted(String role) {
        String master = conf().get("spark.master");
        boolean isKubernetes = master.startsWith("k8s");
        if (!isKubernetes && !master.equals("yarn")) {
            return OptionalLong.empty();
        }
        String prefix = "spark." + role + ".";
        long heap = conf().getSizeAsMb(prefix + "memory", "1g");
        double factor = conf().getDouble(
                        prefix + "memoryOverheadFactor",
                        isKubernetes
                                ? conf().getDouble("spark.kubernetes.memoryOverheadFactor", OVERHEAD_FACTOR)
                                : OVERHEAD_FACTOR);
        long standard = Math.max(LEAST_OVERHEAD_MIB, (long) (factor * heap));
        long overhead = conf().getSizeAsMb(prefix + "memoryOverhead", standard + "m");
        return OptionalLong.of((heap + overhead) * MEBIBYTE);
    }

    /**
     * What the job writes into Spark's local directories of a machine, as far as that is known: the token store of a
     * training.
     *
     * @throws io.github.rarspark.common.JobException as {@link TokenSource#open} does
     */
    long localBytes() throws IOException {
        if (workload != Workload.TRAIN || recipe().train().tokens().isEmpty()) {
            return 0;
        }
        ModelSettings model = recipe().model();
        TokenSource tokens = TokenSource.open(
                context.storage(),
                "--tokens",
                recipe().train().tokens(),
                new TokenShape(model.tokens(), model.codes(), model.classes()));
        return tokens.rows() * (2L * model.tokens() + 4);
    }

    /** The largest file that a process copies to its temporary folder: weights. */
    long temporaryBytes() {
        return MemoryNeeds.largestFile(recipe(), workload);
    }
}
