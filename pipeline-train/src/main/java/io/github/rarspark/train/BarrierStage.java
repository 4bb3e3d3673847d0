package io.github.rarspark.train;

import java.io.Serializable;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.spark.BarrierTaskContext;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.rdd.RDD;
import scala.collection.Iterator;
import scala.collection.JavaConverters;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;
import scala.runtime.AbstractFunction1;

/** Tasks that start together, such as the ranks of a process group. Spark's Java API has no barrier of its own. */
final class BarrierStage {
    private BarrierStage() {}

    /** What one of the tasks does. */
    @FunctionalInterface
    interface Task<R> extends Serializable {
        /** Runs as task {@code context.partitionId()}. */
        R run(BarrierTaskContext context) throws Exception;
    }

    /**
     * Runs {@code count} tasks at the same time and returns their results in order. Spark does not retry them: if one
     * fails, all do.
     *
     * @param type the class of the results
     */
    static <R> List<R> run(JavaSparkContext context, int count, Class<R> type, Task<R> task) {
        RDD<Integer> ranks = context.parallelize(
                        IntStream.range(0, count).boxed().toList(), count)
                .rdd();
        ClassTag<R> tag = ClassTag$.MODULE$.apply(type);
        return ranks.barrier()
                .mapPartitions(new OnePartition<>(task), false, tag)
                .toJavaRDD()
                .collect();
    }

    private static final class OnePartition<R> extends AbstractFunction1<Iterator<Integer>, Iterator<R>>
            implements Serializable {
        private static final long serialVersionUID = 1L;

        private final Task<R> task;

        OnePartition(Task<R> task) {
            this.task = task;
        }

        @Override
        public Iterator<R> apply(Iterator<Integer> rank) {
            try {
                return JavaConverters.asScalaIterator(
                        List.of(task.run(BarrierTaskContext.get())).iterator());
            } catch (Exception e) {
                throw sneak(e);
            }
        }

        /** Scala's functions declare no exceptions, yet throw them: Spark reports the one that was thrown. */
        @SuppressWarnings("unchecked")
        private static <E extends Exception> RuntimeException sneak(Exception e) throws E {
            throw (E) e;
        }
    }
}
