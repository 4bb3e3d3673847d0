package io.github.rarspark.common.spark;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.Failures;
import io.github.rarspark.common.JobException;
import java.io.Serializable;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntSupplier;
import java.util.function.ObjIntConsumer;
import java.util.stream.IntStream;
import org.apache.spark.SimpleFutureAction;
import org.apache.spark.SparkException;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.rdd.RDD;
import org.apache.spark.scheduler.Pool;
import org.apache.spark.scheduler.Schedulable;
import org.apache.spark.scheduler.TaskSetManager;
import org.apache.spark.sql.SparkSession;
import scala.Function1;
import scala.collection.Iterator;
import scala.collection.JavaConverters;
import scala.concurrent.Await;
import scala.concurrent.duration.FiniteDuration;
import scala.runtime.BoxedUnit;

/**
 * A Spark job with one result per partition that fails if it waits too long for executors. Spark itself waits forever
 * if no executor registers, if all are lost, or if a barrier stage lacks slots. Driver only.
 */
public final class WatchedJob {
    private static final FiniteDuration POLL = FiniteDuration.apply(200, TimeUnit.MILLISECONDS);
    private static final Duration EVENTS_LIMIT = Duration.ofSeconds(10);

    private WatchedJob() {}

    /**
     * Runs the job, whose tasks compute on {@code device}; returns when all partitions are done.
     *
     * @param done called on the driver, for one result at a time, with the number of its partition
     * @param check called several times a second until the job ends; a {@link JobException} of it ends the job
     * @throws JobException if no task of the job has run for {@link SparkSessions#waitLimit}: {@link
     *     ExitCode#UNAVAILABLE} if none ever did, {@link ExitCode#TEMPORARY} if some did. What a task threw is the cause
     *     of Spark's own exception, which is checked but not declared
     */
    public static <R> void run(
            SparkSession session, JobDevice device, RDD<R> results, ObjIntConsumer<R> done, Runnable check) {
        JavaSparkContext context = SparkSessions.context(session);
        AtomicInteger finished = new AtomicInteger();
        try (TaskExceptions exceptions = TaskExceptions.watch(context)) {
            SimpleFutureAction<BoxedUnit> job = context.sc()
                    .submitJob(
                            results,
                            (Function1<Iterator<R>, R> & Serializable) Iterator::next,
                            partitions(results),
                            (partition, result) -> {
                                done.accept(result, (Integer) partition);
                                finished.incrementAndGet();
                                return BoxedUnit.UNIT;
                            },
                            () -> BoxedUnit.UNIT);
            await(session, device, job, finished::get, results.getNumPartitions(), check);
            if (job.value().get().isFailure()) {
                throw sneak(withCause(job.value().get().failed().get(), exceptions));
            }
        }
    }

    private static scala.collection.Seq<Object> partitions(RDD<?> results) {
        List<Object> numbers = IntStream.range(0, results.getNumPartitions())
                .<Object>mapToObj(i -> i)
                .toList();
        return JavaConverters.asScalaBuffer(numbers);
    }

    private static void await(
            SparkSession session,
            JobDevice device,
            SimpleFutureAction<BoxedUnit> job,
            IntSupplier finished,
            int tasks,
            Runnable check) {
        Duration limit = SparkSessions.waitLimit(session);
        Pool scheduled = session.sparkContext().taskScheduler().rootPool();
        int jobId = (Integer) job.jobIds().head();
        boolean anyRan = false;
        int known = 0;
        long activeAt = System.nanoTime();
        try {
            while (!isCompleted(job)) {
                check.run();
                int now = finished.getAsInt();
                if (now > known || running(scheduled, jobId) > 0) {
                    anyRan = true;
                    known = now;
                    activeAt = System.nanoTime();
                } else if (System.nanoTime() - activeAt > limit.toNanos()) {
                    throw idleTooLong(session, device, limit, anyRan, now, tasks);
                }
            }
        } catch (InterruptedException e) {
            job.cancel();
            throw sneak(e);
        } catch (JobException e) {
            job.cancel();
            throw e;
        }
    }

    /**
     * How many tasks of a job are running, by what the scheduler itself goes by. Events and Spark's status, which is made
     * from events, do not serve: Spark drops events of starts and ends if listeners are slow.
     */
    private static int running(Schedulable scheduled, int jobId) {
        if (scheduled instanceof TaskSetManager tasks) {
            // A set of tasks has its job's id for its priority.
            return tasks.priority() == jobId ? tasks.runningTasks() : 0;
        }
        return scheduled.schedulableQueue().stream()
                .mapToInt(part -> running(part, jobId))
                .sum();
    }

    /** For a failed barrier task, Spark's exception has only the text; its cause gives the exit code. */
    private static Throwable withCause(Throwable failure, TaskExceptions exceptions) {
        if (!(failure instanceof SparkException) || failure.getCause() != null) {
            return failure;
        }
        try {
            List<Throwable> thrown = exceptions.await(EVENTS_LIMIT);
            // One task that fails for a reason of its own can make others fail with a lost connection.
            return thrown.stream()
                    .filter(exception -> !Failures.exitCode(exception).retryable())
                    .findFirst()
                    .or(() -> thrown.stream().findFirst())
                    .<Throwable>map(cause -> new SparkException(failure.getMessage(), cause))
                    .orElse(failure);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return failure;
        }
    }

    /** Waits for the end of the job, but not long. */
    private static boolean isCompleted(SimpleFutureAction<BoxedUnit> job) throws InterruptedException {
        try {
            Await.ready(job, POLL);
            return true;
        } catch (TimeoutException e) {
            return false;
        }
    }

    private static JobException idleTooLong(
            SparkSession session, JobDevice device, Duration limit, boolean anyRan, int finished, int tasks) {
        String state = "in " + limit.toSeconds() + " s (" + SparkSessions.WAIT_KEY + "); the cluster offers "
                + StageResources.slots(session, device) + " task slots" + (device.isGpu() ? " with GPUs" : "") + "; ";
        String job = SparkSessions.description(session);
        return anyRan
                ? new JobException(
                        ExitCode.TEMPORARY,
                        "Cannot continue to " + job + ": after " + finished + " of " + tasks
                                + " tasks no executor took another one " + state + "run again to resume")
                : new JobException(
                        ExitCode.UNAVAILABLE,
                        "Cannot " + job + ": no executor took any of its " + tasks + " tasks " + state
                                + "free the cluster, ask for smaller executors, or wait longer");
    }

    /** Callers of Spark get what Spark throws, although Java does not know that Scala's methods throw it. */
    @SuppressWarnings("unchecked")
    private static <E extends Throwable> RuntimeException sneak(Throwable e) throws E {
        throw (E) e;
    }
}
