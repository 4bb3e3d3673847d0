package io.github.rarspark.common.spark;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.Failures;
import io.github.rarspark.common.JobException;
import java.io.Serializable;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.ObjIntConsumer;
import java.util.stream.IntStream;
import org.apache.spark.SimpleFutureAction;
import org.apache.spark.SparkException;
import org.apache.spark.SparkStageInfo;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.JavaSparkStatusTracker;
import org.apache.spark.rdd.RDD;
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
     * Runs the job; returns when all partitions are done.
     *
     * @param done called on the driver, for one result at a time, with the number of its partition
     * @throws JobException if no task of the job has run for {@link SparkSessions#waitLimit}: {@link
     *     ExitCode#UNAVAILABLE} if none ever did, {@link ExitCode#TEMPORARY} if some did. What a task threw is the cause
     *     of Spark's own exception, which is checked but not declared
     */
    public static <R> void run(SparkSession session, RDD<R> results, ObjIntConsumer<R> done) {
        JavaSparkContext context = SparkSessions.context(session);
        TaskActivity activity = TaskActivity.watch(context);
        try {
            SimpleFutureAction<BoxedUnit> job = context.sc()
                    .submitJob(
                            results,
                            (Function1<Iterator<R>, R> & Serializable) Iterator::next,
                            partitions(results),
                            (partition, result) -> {
                                done.accept(result, (Integer) partition);
                                return BoxedUnit.UNIT;
                            },
                            () -> BoxedUnit.UNIT);
            await(session, job, activity, results.getNumPartitions());
        } finally {
            activity.close();
        }
    }

    private static scala.collection.Seq<Object> partitions(RDD<?> results) {
        List<Object> numbers = IntStream.range(0, results.getNumPartitions())
                .<Object>mapToObj(i -> i)
                .toList();
        return JavaConverters.asScalaBuffer(numbers);
    }

    private static void await(
            SparkSession session, SimpleFutureAction<BoxedUnit> job, TaskActivity activity, int tasks) {
        Duration limit = SparkSessions.waitLimit(session);
        int ended = 0;
        try {
            while (!isCompleted(job)) {
                if (activity.idle().compareTo(limit) > 0) {
                    Account account = Account.of(session, job);
                    int known = Math.max(ended, activity.finished() + activity.failed());
                    if (account.active() > 0 || account.ended() > known) {
                        ended = account.ended();
                        activity.active();
                        continue;
                    }
                    throw idleTooLong(session, limit, activity, tasks);
                }
            }
        } catch (InterruptedException e) {
            job.cancel();
            throw sneak(e);
        } catch (JobException e) {
            job.cancel();
            throw e;
        }
        if (job.value().get().isFailure()) {
            throw sneak(withCause(job.value().get().failed().get(), activity));
        }
    }

    /** For a failed barrier task, Spark's exception has only the text; its cause gives the exit code. */
    private static Throwable withCause(Throwable failure, TaskActivity activity) {
        if (!(failure instanceof SparkException) || failure.getCause() != null) {
            return failure;
        }
        try {
            List<Throwable> exceptions = activity.exceptions(EVENTS_LIMIT);
            // One task that fails for a reason of its own can make others fail with a lost connection.
            return exceptions.stream()
                    .filter(exception -> !Failures.exitCode(exception).retryable())
                    .findFirst()
                    .or(() -> exceptions.stream().findFirst())
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

    /**
     * The tasks of a job by Spark's own account, which it keeps apart from the events that listeners get and may lose.
     *
     * @param active how many are running
     * @param ended how many have succeeded or failed
     */
    private record Account(int active, int ended) {
        static Account of(SparkSession session, SimpleFutureAction<BoxedUnit> job) {
            JavaSparkStatusTracker tracker = SparkSessions.context(session).statusTracker();
            List<SparkStageInfo> stages = JavaConverters.seqAsJavaList(job.jobIds()).stream()
                    .map(id -> tracker.getJobInfo((Integer) id))
                    .filter(Objects::nonNull)
                    .flatMapToInt(info -> IntStream.of(info.stageIds()))
                    .mapToObj(tracker::getStageInfo)
                    .filter(Objects::nonNull)
                    .toList();
            return new Account(
                    stages.stream().mapToInt(SparkStageInfo::numActiveTasks).sum(),
                    stages.stream()
                            .mapToInt(stage -> stage.numCompletedTasks() + stage.numFailedTasks())
                            .sum());
        }
    }

    private static JobException idleTooLong(SparkSession session, Duration limit, TaskActivity activity, int tasks) {
        String state = "in " + limit.toSeconds() + " s (" + SparkSessions.WAIT_KEY + "); the cluster offers "
                + SparkSessions.slots(session) + " task slots; ";
        String job = SparkSessions.description(session);
        return activity.finished() + activity.failed() == 0
                ? new JobException(
                        ExitCode.UNAVAILABLE,
                        "Cannot " + job + ": no executor took any of its " + tasks + " tasks " + state
                                + "free the cluster, ask for smaller executors, or wait longer")
                : new JobException(
                        ExitCode.TEMPORARY,
                        "Cannot continue to " + job + ": after " + activity.finished() + " of " + tasks
                                + " tasks no executor took another one " + state + "run again to resume");
    }

    /** Callers of Spark get what Spark throws, although Java does not know that Scala's methods throw it. */
    @SuppressWarnings("unchecked")
    private static <E extends Throwable> RuntimeException sneak(Throwable e) throws E {
        throw (E) e;
    }
}
