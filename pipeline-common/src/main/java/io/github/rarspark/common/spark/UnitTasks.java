package io.github.rarspark.common.spark;

import java.io.IOException;
import java.io.Serializable;
import java.util.List;
import java.util.function.Consumer;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.sql.SparkSession;
import scala.collection.Iterator;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;
import scala.runtime.AbstractFunction1;
import scala.runtime.AbstractFunction2;
import scala.runtime.BoxedUnit;

/** Runs units of work, each as a task of its own, and hands over every result as soon as it is there. Driver only. */
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

    /**
     * Does all {@code units}, in no particular order; returns when all are done.
     *
     * @param done called on the driver, for one result at a time
     */
    public static <U, R> void run(SparkSession session, List<U> units, Work<U, R> work, Consumer<R> done) {
        if (units.isEmpty()) {
            return;
        }
        JavaRDD<R> results = SparkSessions.context(session)
                .parallelize(units, units.size())
                .map(unit -> {
                    endIfKilled();
                    return work.run(unit);
                });
        ClassTag<R> tag = ClassTag$.MODULE$.apply(Object.class);
        session.sparkContext().runJob(results.rdd(), new Only<>(), new Hand<>(done), tag);
    }

    /** Ends the task on this thread if it was killed; long work calls this between its steps. */
    public static void endIfKilled() {
        TaskContext task = TaskContext.get();
        if (task != null) {
            task.killTaskIfInterrupted();
        }
    }

    private static final class Only<R> extends AbstractFunction1<Iterator<R>, R> implements Serializable {
        @Override
        public R apply(Iterator<R> results) {
            return results.next();
        }
    }

    private static final class Hand<R> extends AbstractFunction2<Object, R, BoxedUnit> {
        private final Consumer<R> done;

        Hand(Consumer<R> done) {
            this.done = done;
        }

        @Override
        public BoxedUnit apply(Object partition, R result) {
            done.accept(result);
            return BoxedUnit.UNIT;
        }
    }
}
