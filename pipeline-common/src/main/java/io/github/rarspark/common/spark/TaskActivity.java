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
import org.apache.spark.scheduler.SparkListenerTaskStart;
import org.apache.spark.scheduler.StageInfo;
import scala.collection.JavaConverters;

/** Whether tasks of one job are running, and why some failed, from Spark's events. Driver only; thread-safe. */
final class TaskActivity extends SparkListener implements AutoCloseable {
    /** A local property, which Spark hands on from the thread that submits a job to the job's events. */
    private static final String TOKEN = "rarspark.activity";

    private static final int NONE = -1;
    private static final int MOST_EXCEPTIONS = 1000;

    private final JavaSparkContext context;
    private final String token = UUID.randomUUID().toString();
    private final Set<Integer> stages = new HashSet<>();
    /** The ids of the running tasks: a set, because Spark may drop the event of a task's start or end. */
    private final Set<Long> running = new HashSet<>();

    private final List<Throwable> exceptions = new ArrayList<>();
    private int job = NONE;
    private boolean ended;
    private int finished;
    private int failed;
    private long idleSince = System.nanoTime();

    private TaskActivity(JavaSparkContext context) {
        this.context = context;
    }

    /** Watches the job that this thread submits next, until closed on this thread. */
    static TaskActivity watch(JavaSparkContext context) {
        TaskActivity activity = new TaskActivity(context);
        context.sc().addSparkListener(activity);
        context.setLocalProperty(TOKEN, activity.token);
        return activity;
    }

    /** How long no task has been running, as far as Spark's events tell. */
    synchronized Duration idle() {
        return running.isEmpty() ? Duration.ofNanos(System.nanoTime() - idleSince) : Duration.ZERO;
    }

    /** Records that a task was running until now, whatever the events told. */
    synchronized void active() {
        idleSince = System.nanoTime();
    }

    /** The number of tasks that succeeded. */
    synchronized int finished() {
        return finished;
    }

    /** The number of tasks that failed or were lost with their executor. */
    synchronized int failed() {
        return failed;
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
    public synchronized void onTaskStart(SparkListenerTaskStart start) {
        if (stages.contains(start.stageId())) {
            running.add(start.taskInfo().taskId());
        }
    }

    @Override
    public synchronized void onTaskEnd(SparkListenerTaskEnd end) {
        if (stages.contains(end.stageId())) {
            running.remove(end.taskInfo().taskId());
            finished += end.taskInfo().successful() ? 1 : 0;
            failed += end.taskInfo().successful() ? 0 : 1;
            idleSince = System.nanoTime();
            if (end.reason() instanceof ExceptionFailure failure
                    && failure.exception().isDefined()
                    && exceptions.size() < MOST_EXCEPTIONS) {
                exceptions.add(failure.exception().get());
            }
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
    synchronized List<Throwable> exceptions(Duration limit) throws InterruptedException {
        long deadline = System.nanoTime() + limit.toNanos();
        for (long left = limit.toNanos(); !ended && left > 0; left = deadline - System.nanoTime()) {
            TimeUnit.NANOSECONDS.timedWait(this, left);
        }
        return List.copyOf(exceptions);
    }

    @Override
    public void close() {
        context.setLocalProperty(TOKEN, null);
        context.sc().removeSparkListener(this);
    }
}
