package io.github.rarspark.common.spark;

import io.github.rarspark.common.storage.Json;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.spark.SparkEnv;
import org.apache.spark.TaskContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One line of JSON for every event, in the log under the name {@value #LOGGER}. */
public final class EventLog {
    /** The logger's name. */
    public static final String LOGGER = "io.github.rarspark.events";

    private static final Logger LOG = LoggerFactory.getLogger(LOGGER);

    private EventLog() {}

    /**
     * Logs an event with its fields. Within a task, the executor, stage, partition and attempt are added. Fields are
     * never credentials.
     *
     * @param event its name in snake case, such as {@code shard_done}
     */
    public static void log(String event, Map<String, ?> fields) {
        if (LOG.isInfoEnabled()) {
            LOG.info(line(Instant.now(), event, fields));
        }
    }

    static String line(Instant time, String event, Map<String, ?> fields) {
        Map<String, Object> all = new LinkedHashMap<>(fields);
        all.put("time", time);
        all.put("event", event);
        TaskContext task = TaskContext.get();
        if (task != null) {
            all.put("executor", SparkEnv.get().executorId());
            all.put("stage", task.stageId());
            all.put("partition", task.partitionId());
            all.put("task_attempt", task.attemptNumber());
        }
        return Json.line(all);
    }
}
