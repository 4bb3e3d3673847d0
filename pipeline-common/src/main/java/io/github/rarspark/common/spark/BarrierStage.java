package io.github.rarspark.common.spark;

import java.io.Serializable;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.apache.spark.BarrierTaskContext;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.rdd.RDD;
import org.apache.spark.sql.SparkSession;
import scala.collection.Iterator;
import scala.collection.JavaConverters;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;
import scala.runtime.AbstractFunction1;

/** Tasks that start together, such as the ranks of a process group. Spark's Java API has no barrier of its own. */
public final class BarrierStage {
    private static final Pattern IP_ADDRESS = Pattern.compile("\\d+(\\.\\d+){3}");

    private BarrierStage() {}

    /** The work of one task. */
    @FunctionalInterface
    public interface Task<R> extends Serializable {
        /** Runs as task {@code context.partitionId()}. */
        R run(BarrierTaskContext context) throws Exception;
    }

    /**
     * The address at which the other tasks reach this one: what the executor was told to be, such as the address of its
     * pod. Where that is a name, which machines may resolve differently, it is the address from which the driver hears of it.
     */
    public static String host(BarrierTaskContext context) {
        String own = SparkEnv.get().blockManager().blockManagerId().host();
        if (IP_ADDRESS.matcher(own).matches()) {
            return own;
        }
        String seen = context.getTaskInfos()[context.partitionId()].address(); // host:port
        int colon = seen.lastIndexOf(':');
        return colon < 0 ? seen : seen.substring(0, colon);
    }

    /**
     * Runs {@code count} tasks concurrently and returns their results in order. Spark does not retry them: if one
     * fails, all fail.
     *
     * @param device what the tasks compute on
     * @param type the class of the results
     * @param check called several times a second until the tasks end; an exception ends them
     * @throws io.github.rarspark.common.JobException {@link io.github.rarspark.common.ExitCode#UNAVAILABLE} if there
     *     are not enough task slots within {@link SparkSessions#waitLimit}, else as {@link WatchedJob#run} does
     */
    public static <R> List<R> run(
            SparkSession session, JobDevice device, int count, Class<R> type, Task<R> task, Runnable check)
            throws InterruptedException {
        // Spark rejects barrier stages with dynamic allocation immediately, and checks for slots only from time to
        // time.
        if (!session.sparkContext().getConf().getBoolean("spark.dynamicAllocation.enabled", false)) {
            SparkSessions.awaitSlots(session, device, count, SparkSessions.waitLimit(session), check);
        }
        JavaRDD<Integer> numbers = SparkSessions.context(session)
                .parallelize(IntStream.range(0, count).boxed().toList(), count);
        ClassTag<R> tag = ClassTag$.MODULE$.apply(type);
        Map<Integer, R> results = new ConcurrentSkipListMap<>();
        RDD<R> tasks = numbers.rdd().barrier().mapPartitions(new OnePartition<>(task), false, tag);
        WatchedJob.run(
                session,
                device,
                StageResources.request(session, device, tasks.toJavaRDD()).rdd(),
                (result, rank) -> results.put(rank, result),
                check);
        return List.copyOf(results.values());
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
                R result = ExecutorLossError.ifGpuBreaks(() -> task.run(BarrierTaskContext.get()));
                return JavaConverters.asScalaIterator(List.of(result).iterator());
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
