package io.github.rarspark.common.spark;

import org.apache.spark.SparkConf;
import org.apache.spark.TaskContext;

/** How many threads the arithmetic inside one task uses, so that the tasks of an executor fill its cores once. */
public final class TaskThreads {
    private TaskThreads() {}

    /**
     * The number for tasks of a session with this configuration: the cores that Spark counts for a task. It is part of
     * a plan's units, because the bytes of a result may depend on it.
     */
    public static int planned(SparkConf conf) {
        return Math.max(1, conf.getInt("spark.task.cpus", 1));
    }

    /** The number for the task on this thread; outside of a task, the cores of the machine. */
    public static int current() {
        TaskContext task = TaskContext.get();
        return Math.max(1, task == null ? Runtime.getRuntime().availableProcessors() : task.cpus());
    }
}
