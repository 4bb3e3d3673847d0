package io.github.rarspark.common.spark;

import static io.github.rarspark.common.testing.JobAssert.assertFails;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.conf.ComputeDevice;
import io.github.rarspark.conf.ComputeSettings;
import io.github.rarspark.conf.SparkSettings;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class WatchedJobTest {
    private static final int WAIT_SECONDS = 5;
    private static final int LIMIT_SECONDS = 60;
    /** Of the test that runs; tasks are threads of this process. */
    private static volatile CountDownLatch occupied;

    private static volatile CountDownLatch released;

    private static final Map<String, String> SETTINGS =
            Map.of("spark.ui.enabled", "false", "spark.driver.host", "127.0.0.1");

    @BeforeEach
    void nothingIsOccupied() {
        occupied = new CountDownLatch(1);
        released = new CountDownLatch(1);
    }

    @Test
    void aTaskWhoseStartListenersMissIsNotGivenUp() throws Exception {
        SparkSettings settings = new SparkSettings("local[1]", 1, WAIT_SECONDS);
        Map<String, String> all = new HashMap<>(SETTINGS);
        all.putAll(BusyListeners.capacity(100));
        try (SparkSession session =
                        SparkSessions.open("test", settings, new ComputeSettings(ComputeDevice.AUTO, false), all);
                BusyListeners busy = BusyListeners.block(session.sparkContext(), 100)) {
            List<Integer> done = new CopyOnWriteArrayList<>();
            UnitTasks.run(session, List.of(7), WatchedJobTest::outlastTheLimit, done::add);
            assertThat(done).containsExactly(7);
        }
    }

    @Test
    void tasksOfAnotherJobDoNotCount() throws Exception {
        SparkSettings settings = new SparkSettings("local[1]", 1, WAIT_SECONDS);
        ExecutorService other = Executors.newSingleThreadExecutor();
        try (SparkSession session =
                SparkSessions.open("test", settings, new ComputeSettings(ComputeDevice.AUTO, false), SETTINGS)) {
            Future<?> first =
                    other.submit(() -> UnitTasks.run(session, List.of(1), WatchedJobTest::occupy, unit -> {}));
            assertThat(occupied.await(LIMIT_SECONDS, TimeUnit.SECONDS)).isTrue();
            assertFails(ExitCode.UNAVAILABLE, () -> UnitTasks.run(session, List.of(2), unit -> unit, unit -> {}))
                    .startsWith("Cannot run a job: no executor took any of its 1 tasks in " + WAIT_SECONDS + " s");
            released.countDown();
            first.get(LIMIT_SECONDS, TimeUnit.SECONDS);
        } finally {
            other.shutdownNow();
        }
    }

    private static int occupy(int unit) {
        occupied.countDown();
        try {
            assertThat(released.await(LIMIT_SECONDS, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        return unit;
    }

    private static int outlastTheLimit(int unit) {
        try {
            TimeUnit.MILLISECONDS.sleep(1500L * WAIT_SECONDS);
        } catch (InterruptedException e) {
            throw new IllegalStateException("The task was given up", e);
        }
        return unit;
    }
}
