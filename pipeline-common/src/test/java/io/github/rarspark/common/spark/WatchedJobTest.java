package io.github.rarspark.common.spark;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.conf.SparkSettings;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerJobStart;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class WatchedJobTest {
    private static final CountDownLatch RUNNING = new CountDownLatch(1);
    private static final int WAIT_SECONDS = 3;

    /** Listeners get one event at a time and one waits in the queue; Spark's own account has another queue. */
    private static final Map<String, String> FORGETFUL = Map.of(
            "spark.ui.enabled", "false",
            "spark.driver.host", "127.0.0.1",
            "spark.scheduler.listenerbus.eventqueue.shared.capacity", "1",
            "spark.ui.liveUpdate.period", "0");

    @Test
    void aTaskWhoseStartSparkDoesNotTellIsNotGivenUp() {
        SparkSettings settings = new SparkSettings("local[1]", 1, WAIT_SECONDS);
        try (SparkSession session = SparkSessions.open("test", settings, FORGETFUL)) {
            // Until the task runs, the job's start is not handled, the stage's waits, and the task's is dropped.
            session.sparkContext().addSparkListener(new SparkListener() {
                @Override
                public void onJobStart(SparkListenerJobStart start) {
                    awaitTask();
                }
            });
            List<Integer> done = new CopyOnWriteArrayList<>();
            UnitTasks.run(session, List.of(7), WatchedJobTest::outlastTheLimit, done::add);
            assertThat(done).containsExactly(7);
        }
    }

    private static void awaitTask() {
        try {
            assertThat(RUNNING.await(60, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static int outlastTheLimit(int unit) {
        RUNNING.countDown();
        try {
            TimeUnit.MILLISECONDS.sleep(1500L * WAIT_SECONDS);
        } catch (InterruptedException e) {
            throw new IllegalStateException("The task was given up", e);
        }
        return unit;
    }
}
