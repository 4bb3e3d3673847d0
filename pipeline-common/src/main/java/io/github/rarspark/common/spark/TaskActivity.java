package io.github.rarspark.common.spark;

import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.UUID;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerJobStart;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.scheduler.SparkListenerTaskStart;
import org.apache.spark.scheduler.StageInfo;
import scala.collection.JavaConverters;

/** Whether tasks of one job are running, from Spark's events. Driver only; thread-safe. */
final class TaskActivity extends SparkListener implements AutoCloseable {
    /** A local property, which Spark hands on from the thread that submits a job to the job's events. */
    private static final String TOKEN = "rarspark.activity";

    private final JavaSparkContext context;
    private final String token = UUID.randomUUID().toString();
    private final Set<Integer> stages = new HashSet<>();
    private int running;
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

    /** For how long no task has run. */
    synchronized Duration idle() {
        return running > 0 ? Duration.ZERO : Duration.ofNanos(System.nanoTime() - idleSince);
    }

    /** How many tasks have succeeded. */
    synchronized int finished() {
        return finished;
    }

    /** How many tasks have failed, or were lost with their executor. */
    synchronized int failed() {
        return failed;
    }

    @Override
    public synchronized void onJobStart(SparkListenerJobStart start) {
        if (token.equals(start.properties().getProperty(TOKEN))) {
            for (StageInfo stage : JavaConverters.seqAsJavaList(start.stageInfos())) {
                stages.add(stage.stageId());
            }
        }
    }

    @Override
    public synchronized void onTaskStart(SparkListenerTaskStart start) {
        if (stages.contains(start.stageId())) {
            running++;
        }
    }

    @Override
    public synchronized void onTaskEnd(SparkListenerTaskEnd end) {
        if (stages.contains(end.stageId())) {
            running--;
            finished += end.taskInfo().successful() ? 1 : 0;
            failed += end.taskInfo().successful() ? 0 : 1;
            idleSince = System.nanoTime();
        }
    }

    @Override
    public void close() {
        context.setLocalProperty(TOKEN, null);
        context.sc().removeSparkListener(this);
    }
}
