package io.github.rarspark.cli.doctor;

import static io.github.rarspark.cli.doctor.Finding.fail;
import static io.github.rarspark.cli.doctor.Finding.ok;
import static io.github.rarspark.cli.doctor.Finding.warn;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.Failures;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.memory.MemoryNeeds;
import io.github.rarspark.common.memory.Sizes;
import io.github.rarspark.common.memory.Workload;
import io.github.rarspark.common.spark.BarrierStage;
import io.github.rarspark.common.spark.JobDevice;
import io.github.rarspark.common.spark.SparkSessions;
import io.github.rarspark.common.spark.StageResources;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkContext;
import org.apache.spark.sql.SparkSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Examines whether a job can run: a Spark job on the executors that the job would have, without its inputs. Driver only.
 *
 * @param context of the job
 * @param workload what the job computes
 * @param output where it writes; empty to leave the storage out
 * @param executorClock the clock of the executors
 */
public record Doctor(JobContext context, Workload workload, String output, Clock executorClock) {
    /** What the session of the job needs, beside its own settings. */
    public static final Map<String, String> SETTINGS = ExecutorStage.SETTINGS;

    private static final Logger LOG = LoggerFactory.getLogger(Doctor.class);

    private static final Duration CONNECTION_LIMIT = Duration.ofSeconds(10);
    private static final long POLL_MILLIS = 200;
    private static final int STORED_BYTES = 16 << 20;

    /** Examines, for as long as it takes to get executors and a few seconds more. */
    public DoctorReport examine() throws IOException, InterruptedException {
        SparkSession session = context.session();
        SparkContext spark = session.sparkContext();
        List<Finding> findings = new ArrayList<>(new ClusterChecks(context, workload).all());
        SparkSessions.describe(session, "examine the cluster");
        findings.add(awaitExecutors());
        int executors = ExecutorStage.executors(session).size();
        findings.addAll(processes());
        findings.addAll(attempt("space for the output", this::outputSpace));
        boolean dynamic = ClusterChecks.allocatesDynamically(spark.getConf());
        if (workload == Workload.TRAIN && !dynamic) {
            findings.addAll(attempt("ranks", this::ranks));
        }
        int gpus = StageResources.gpusOfExecutor(spark.getConf());
        if (spark.master().equals("yarn") && gpus > 0) {
            findings.add(YarnGpus.check(spark, gpus));
        }
        return DoctorReport.of(workload.command(), spark.master(), executors, findings);
    }

    /** What a part of the examination finds; its own failure is a finding, so that the others are reported. */
    private static List<Finding> attempt(String check, Callable<List<Finding>> part) throws InterruptedException {
        try {
            return part.call();
        } catch (InterruptedException e) {
            throw e;
        } catch (Exception e) { // Spark throws checked ones that it does not declare.
            LOG.warn("Cannot examine {}", check, e);
            return List.of(fail(check, Failures.message(e), ""));
        }
    }

    /** Waits for the executors that the job is to have; whether all came. */
    private Finding awaitExecutors() throws InterruptedException {
        SparkSession session = context.session();
        SparkConf conf = session.sparkContext().getConf();
        JobDevice device = context.device();
        boolean dynamic = ClusterChecks.allocatesDynamically(conf);
        int slots = workload == Workload.TRAIN ? context.recipe().train().ranks() : 1;
        int executors = dynamic || session.sparkContext().isLocal() ? 1 : conf.getInt("spark.executor.instances", 1);
        Duration limit = SparkSessions.waitLimit(session);
        long start = System.nanoTime();
        while (!isReady(session, device, executors, slots)
                && !session.sparkContext().isLocal()
                && System.nanoTime() - start < limit.toNanos()) {
            Thread.sleep(POLL_MILLIS);
        }
        int came = ExecutorStage.executors(session).size();
        int offered = StageResources.slots(session, device);
        String value = "executors: " + came + ", task slots" + (device.isGpu() ? " with GPUs: " : ": ") + offered;
        if (came == 0) {
            throw new JobException(
                    ExitCode.UNAVAILABLE,
                    "Cannot examine the cluster: no executor came within " + limit.toSeconds()
                            + " s (spark.wait_seconds); see the logs of master and executors, whether they fit the machines, and"
                            + " whether spark.executor.resource.gpu.discoveryScript runs there");
        }
        if (offered < slots) {
            return fail(
                    "executors",
                    value + ", and " + slots + " are needed at the same time",
                    session.sparkContext().isLocal()
                            ? "use --master local[" + slots + "]"
                            : "ask for more executors (spark.executor.instances, spark.cores.max) or lower train.ranks");
        }
        return came < executors
                ? warn(
                        "executors",
                        value + ", and " + executors + " executors were asked for",
                        "free the cluster or wait longer")
                : ok("executors", value);
    }

    private static boolean isReady(SparkSession session, JobDevice device, int executors, int slots) {
        // An executor offers its slots a moment before its block manager has registered.
        int offering = session.sparkContext().getExecutorIds().size();
        return ExecutorStage.executors(session).size() >= Math.max(executors, offering)
                && StageResources.slots(session, device) >= slots;
    }

    /** What the processes find out about themselves and the storage, the one without the other if need be. */
    private List<Finding> processes() throws InterruptedException {
        List<Finding> processes = new ArrayList<>();
        List<Finding> findings = new ArrayList<>(attempt("storage", () -> {
            try (ProbedFolder folder = ProbedFolder.in(context.storage(), output)) {
                processes.addAll(attempt("processes", () -> processes(folder.probe(STORED_BYTES))));
            }
            return List.of();
        }));
        findings.addAll(processes.isEmpty() ? attempt("processes", () -> processes(null)) : processes);
        return findings;
    }

    /**
     * What the driver and each executor find out.
     *
     * @param storage null to leave it out
     */
    private List<Finding> processes(StorageProbe storage) throws IOException {
        SparkSession session = context.session();
        SparkConf conf = session.sparkContext().getConf();
        boolean local = session.sparkContext().isLocal();
        boolean fid = workload == Workload.FID;
        ProcessFacts driver = new ProcessProbe(JobDevice.CPU, Clock.systemUTC(), local ? null : storage)
                .facts(ProcessProbe.DRIVER, conf);
        Instant asked = Instant.now();
        List<ProcessFacts> executors = ExecutorStage.run(
                session, context.device(), new ProcessProbe(context.device(), executorClock, storage));
        Instant answered = Instant.now();

        List<Finding> findings = new ArrayList<>();
        Needs needs = new Needs(context, workload);
        if (!local) {
            findings.addAll(
                    new ProcessChecks(driver.clock(), driver.clock(), 1, driver.versions(), fid, 0, 0).of(driver));
            findings.addAll(needs.ofDriver().of(List.of(driver)));
        }
        ProcessChecks checks = new ProcessChecks(
                asked,
                answered,
                needs.coresOfExecutor(),
                driver.versions(),
                true,
                needs.localBytes(),
                needs.temporaryBytes());
        executors.forEach(one -> findings.addAll(checks.of(one)));
        findings.addAll(needs.ofExecutors().of(executors));
        return findings;
    }

    private List<Finding> outputSpace() throws IOException {
        if (output.isEmpty()) {
            return List.of(warn("storage", "not tried", "give --output"));
        }
        OptionalLong space = context.storage().space(output);
        long needed = MemoryNeeds.outputBytes(context.recipe(), workload);
        if (space.isEmpty()) {
            return List.of(ok("space for the output", "the storage does not tell"));
        }
        String value = Sizes.text(space.getAsLong()) + " free";
        return List.of(
                space.getAsLong() < needed
                        ? fail(
                                "space for the output",
                                value + ", and at least " + Sizes.text(needed) + " are needed",
                                "free some or choose another --output")
                        : ok("space for the output", value));
    }

    /** What the ranks of a training find out, if they can start together. */
    private List<Finding> ranks() throws IOException, InterruptedException {
        SparkSession session = context.session();
        SparkConf conf = session.sparkContext().getConf();
        int ranks = context.recipe().train().ranks();
        if (StageResources.slots(session, context.device()) < ranks) {
            return List.of(warn("ports", "not tried, because the ranks cannot start together", ""));
        }
        String host = conf.get("spark.driver.host");
        try (Echo echo = Echo.listen(conf.get("spark.driver.bindAddress", host), CONNECTION_LIMIT)) {
            List<RankFacts> facts = BarrierStage.run(
                    session,
                    context.device(),
                    ranks,
                    RankFacts.class,
                    new RankProbe(context.device(), host, echo.port(), CONNECTION_LIMIT),
                    () -> {});
            return RankChecks.of(facts, context.device().isGpu());
        }
    }
}
