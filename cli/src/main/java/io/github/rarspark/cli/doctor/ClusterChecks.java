package io.github.rarspark.cli.doctor;

import static io.github.rarspark.cli.doctor.Finding.fail;
import static io.github.rarspark.cli.doctor.Finding.ok;
import static io.github.rarspark.cli.doctor.Finding.warn;

import io.github.rarspark.common.JobException;
import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.memory.Workload;
import io.github.rarspark.common.spark.JobDevice;
import io.github.rarspark.common.spark.StageResources;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.spark.SparkConf;
import org.apache.spark.sql.SparkSession;

/** Judges the settings of the session. */
record ClusterChecks(JobContext context, Workload workload) {

    List<Finding> all() {
        List<Finding> findings = new ArrayList<>();
        findings.add(dynamicAllocation());
        findings.add(taskCores());
        gpus().ifPresent(findings::add);
        attempts().ifPresent(findings::add);
        return findings;
    }

    /** Whether barrier stages are possible. */
    static boolean allocatesDynamically(SparkConf conf) {
        return conf.getBoolean("spark.dynamicAllocation.enabled", false);
    }

    private SparkConf conf() {
        return context.session().sparkContext().getConf();
    }

    private Finding dynamicAllocation() {
        boolean dynamic = allocatesDynamically(conf());
        return dynamic && workload == Workload.TRAIN
                ? fail(
                        "dynamic allocation",
                        "on, and ranks have to start together",
                        "set spark.dynamicAllocation.enabled=false")
                : ok("dynamic allocation", dynamic ? "on" : "off");
    }

    private Finding taskCores() {
        JobDevice device = context.device();
        int threads = workload.threads(context.recipe());
        int cores = StageResources.cores(conf(), device);
        String value = "cores: " + cores + ", libtorch threads: " + threads;
        if (device.isGpu() || cores >= threads) {
            return ok("cores of a task", value);
        }
        return warn(
                "cores of a task",
                value + ", so tasks share cores",
                "set spark.task.cpus=" + threads + " or lower " + workload.command() + ".threads");
    }

    private Optional<Finding> gpus() {
        SparkSession session = context.session();
        JobDevice device = context.device();
        try {
            StageResources.requireOffered(session, device);
        } catch (JobException e) {
            return Optional.of(fail("gpu settings", e.getMessage(), ""));
        }
        Optional<String> notice = StageResources.notice(session, device);
        if (notice.isPresent()) {
            return notice.map(line -> warn("gpu settings", line, ""));
        }
        int gpus = StageResources.gpusOfExecutor(conf());
        return device.isGpu()
                ? Optional.of(
                        ok("gpu settings", session.sparkContext().isLocal() ? "the first GPU" : gpus + " per executor"))
                : Optional.empty();
    }

    /** On YARN an application that failed is started again, also after errors that stay. */
    private Optional<Finding> attempts() {
        SparkConf conf = conf();
        if (!conf.get("spark.master").equals("yarn")
                || !conf.get("spark.submit.deployMode", "client").equals("cluster")) {
            return Optional.empty();
        }
        return Optional.of(
                conf.getInt("spark.yarn.maxAppAttempts", 0) == 1
                        ? ok("attempts", "1")
                        : warn(
                                "attempts",
                                "YARN starts an application again that failed, also for an error that stays",
                                "set spark.yarn.maxAppAttempts=1"));
    }
}
