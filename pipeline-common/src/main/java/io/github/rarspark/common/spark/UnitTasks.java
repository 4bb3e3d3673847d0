package io.github.rarspark.common.spark;

import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Consumer;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.sql.SparkSession;

/** Runs units of work, one per task, and passes on every result as soon as it is available. Driver only. */
public final class UnitTasks {
    private UnitTasks() {}

    /**
     * The work on one unit, in a task.
     *
     * @param <U> a unit: small and serialisable
     * @param <R> a result: small and serialisable
     */
    @FunctionalInterface
    public interface Work<U, R> extends Serializable {
        /** Does the unit; called again on a retry. */
        R run(U unit) throws IOException;
    }

    /** Takes the result of the unit with this number. */
    @FunctionalInterface
    private interface ResultSink<R> {
        void accept(int unit, R result);
    }

    /**
     * Does all {@code units}, in no particular order; returns when all are done.
     *
     * @param done called on the driver, for one result at a time
     * @throws io.github.rarspark.common.JobException as {@link WatchedJob#run} does
     */
    public static <U, R> void run(SparkSession session, List<U> units, Work<U, R> work, Consumer<R> done) {
        run(session, JobDevice.CPU, units, work, done);
    }

    /** The same for work that computes on {@code device}. */
    public static <U, R> void run(
            SparkSession session, JobDevice device, List<U> units, Work<U, R> work, Consumer<R> done) {
        run(session, device, units, work, (unit, result) -> done.accept(result));
    }

    private static <U, R> void run(
            SparkSession session, JobDevice device, List<U> units, Work<U, R> work, ResultSink<R> done) {
        if (units.isEmpty()) {
            return;
        }
        JavaRDD<R> results = SparkSessions.context(session)
                .parallelize(units, units.size())
                .map(unit -> {
                    endIfKilled();
                    return ExecutorLossError.ifGpuBreaks(() -> work.run(unit));
                });
        WatchedJob.run(
                session,
                device,
                StageResources.request(session, device, results).rdd(),
                (result, unit) -> done.accept(unit, result),
                () -> {});
    }

    /**
     * Does all {@code units}; the results are in the order of the units.
     *
     * @throws io.github.rarspark.common.JobException as {@link WatchedJob#run} does
     */
    public static <U, R> List<R> map(SparkSession session, List<U> units, Work<U, R> work) {
        List<R> results = new ArrayList<>(Collections.nCopies(units.size(), null));
        run(session, JobDevice.CPU, units, work, results::set);
        return results;
    }

    /** The cores that Spark counts for the task on this thread; one outside of tasks. */
    public static int cores() {
        TaskContext task = TaskContext.get();
        return task == null ? 1 : task.cpus();
    }

    /** Ends the task on this thread if it was killed; long-running work calls this between steps. */
    public static void endIfKilled() {
        TaskContext task = TaskContext.get();
        if (task != null) {
            task.killTaskIfInterrupted();
        }
    }
}
