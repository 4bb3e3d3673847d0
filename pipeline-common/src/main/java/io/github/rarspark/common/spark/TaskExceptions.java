package io.github.rarspark.common.spark;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.apache.spark.ExceptionFailure;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerJobEnd;
import org.apache.spark.scheduler.SparkListenerJobStart;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.scheduler.StageInfo;
import scala.collection.JavaConverters;

/**
 * What tasks of one job have thrown, from Spark's events. Spark drops events if its listeners are slow, so nothing that
 * matters may depend on them. Driver only; thread-safe.
 */
final class TaskExceptions extends SparkListener implements AutoCloseable {
    /** A local property, which Spark hands on from the thread that submits a job to the job's events. */
    private static final String TOKEN = "rarspark.exceptions";

    private static final int NONE = -1;
    private static final int MOST_EXCEPTIONS = 1000;

    private final JavaSparkContext context;
    private final String token = UUID.randomUUID().toString();
    private final Set<Integer> stages = new HashSet<>();
    private final List<Throwable> thrown = new ArrayList<>();
    private int job = NONE;
    private boolean ended;

    private TaskExceptions(JavaSparkContext context) {
        this.context = context;
    }

    /** Watches the job that this thread submits next, until closed on this thread. */
    static TaskExceptions watch(JavaSparkContext context) {
        TaskExceptions exceptions = new TaskExceptions(context);
        context.sc().addSparkListener(exceptions);
        context.setLocalProperty(TOKEN, exceptions.token);
        return exceptions;
    }

    @Override
    public synchronized void onJobStart(SparkListenerJobStart start) {
        if (token.equals(start.properties().getProperty(TOKEN))) {
            job = start.jobId();
            for (StageInfo stage : JavaConverters.seqAsJavaList(start.stageInfos())) {
                stages.add(stage.stageId());
            }
        }
    }

    @Override
    public synchronized void onTaskEnd(SparkListenerTaskEnd end) {
        if (stages.contains(end.stageId())
                && end.reason() instanceof ExceptionFailure failure
                && failure.exception().isDefined()
                && thrown.size() < MOST_EXCEPTIONS) {
            thrown.add(failure.exception().get());
        }
    }

    @Override
    public synchronized void onJobEnd(SparkListenerJobEnd end) {
        if (end.jobId() == job) {
            ended = true;
            notifyAll();
        }
    }

    /**
     * What tasks have thrown, in the order in which Spark learned of it. Spark's events come late, so this waits for the
     * end of the job, which has to have failed, but no longer than {@code limit}.
     */
    synchronized List<Throwable> await(Duration limit) throws InterruptedException {
        long deadline = System.nanoTime() + limit.toNanos();
        for (long left = limit.toNanos(); !ended && left > 0; left = deadline - System.nanoTime()) {
            TimeUnit.NANOSECONDS.timedWait(this, left);
        }
        return List.copyOf(thrown);
    }

    @Override
    public void close() {
        context.setLocalProperty(TOKEN, null);
        context.sc().removeSparkListener(this);
    }
}
