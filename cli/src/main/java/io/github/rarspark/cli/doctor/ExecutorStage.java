package io.github.rarspark.cli.doctor;

import io.github.rarspark.common.spark.JobDevice;
import io.github.rarspark.common.spark.StageResources;
import io.github.rarspark.common.spark.UnitTasks;
import io.github.rarspark.common.spark.WatchedJob;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import org.apache.spark.SparkContext;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.storage.BlockManagerId;
import scala.Tuple2;
import scala.collection.JavaConverters;
import scala.collection.Seq;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;

/** One task on each executor. Driver only. */
final class ExecutorStage {
    /** How long a task waits for its executor instead of taking another: as long as other tasks of doctor may run. */
    static final Map<String, String> SETTINGS = Map.of("spark.locality.wait", "120s");

    private ExecutorStage() {}

    /** The executors that have registered, by their ids; of a local run, which has no others, the driver. */
    static List<BlockManagerId> executors(SparkSession session) {
        SparkContext context = session.sparkContext();
        return JavaConverters.mapAsJavaMap(context.env().blockManager().master().getMemoryStatus()).keySet().stream()
                .filter(id -> context.isLocal() || !id.isDriver())
                .sorted(Comparator.comparing(
                                (BlockManagerId id) -> id.executorId().length())
                        .thenComparing(BlockManagerId::executorId))
                .toList();
    }

    /** Does {@code work} once on each executor; the results are in the order of {@link #executors}. */
    static List<ProcessFacts> run(SparkSession session, JobDevice device, UnitTasks.Work<String, ProcessFacts> work) {
        List<Tuple2<String, Seq<String>>> units = executors(session).stream()
                .map(id -> new Tuple2<>(id.executorId(), place(session, id)))
                .toList();
        ClassTag<String> tag = ClassTag$.MODULE$.apply(String.class);
        JavaRDD<ProcessFacts> facts = JavaRDD.fromRDD(
                        session.sparkContext().makeRDD(JavaConverters.asScalaBuffer(units), tag), tag)
                .map(work::run);
        Map<Integer, ProcessFacts> results = new ConcurrentSkipListMap<>();
        WatchedJob.run(
                session,
                device,
                StageResources.request(session, device, facts).rdd(),
                (one, unit) -> results.put(unit, one),
                () -> {});
        return List.copyOf(results.values());
    }

    /** How Spark writes the place of a task that prefers an executor. */
    private static Seq<String> place(SparkSession session, BlockManagerId id) {
        List<String> places =
                session.sparkContext().isLocal() ? List.of() : List.of("executor_" + id.host() + "_" + id.executorId());
        return JavaConverters.asScalaBuffer(places);
    }
}
