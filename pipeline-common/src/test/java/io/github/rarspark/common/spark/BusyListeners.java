package io.github.rarspark.common.spark;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.spark.SparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerEvent;

/**
 * Keeps the queues of Spark's events full, so that Spark drops what comes next: the queue of an application's listeners,
 * and the one that Spark's own status comes from.
 */
final class BusyListeners extends SparkListener implements AutoCloseable {
    private static final long LIMIT_SECONDS = 60;
    private static final int QUEUES = 2;

    private final CountDownLatch blocked = new CountDownLatch(QUEUES);
    private final CountDownLatch released = new CountDownLatch(1);

    private BusyListeners() {}

    /** The settings of a session whose queues take so many events. */
    static Map<String, String> capacity(int events) {
        String count = Integer.toString(events);
        return Map.of(
                "spark.scheduler.listenerbus.eventqueue.shared.capacity",
                count,
                "spark.scheduler.listenerbus.eventqueue.appStatus.capacity",
                count);
    }

    /** Fills both queues until closed; the events of before are handled. */
    static BusyListeners block(SparkContext context, int capacity) throws Exception {
        BusyListeners busy = new BusyListeners();
        context.listenerBus().waitUntilEmpty(TimeUnit.SECONDS.toMillis(LIMIT_SECONDS));
        context.listenerBus().addToSharedQueue(busy);
        context.listenerBus().addToStatusQueue(busy);
        context.listenerBus().post(new Filler());
        assertThat(busy.blocked.await(LIMIT_SECONDS, TimeUnit.SECONDS)).isTrue();
        for (int i = 0; i < capacity; i++) {
            context.listenerBus().post(new Filler());
        }
        return busy;
    }

    @Override
    public void onOtherEvent(SparkListenerEvent event) {
        if (event instanceof Filler) {
            blocked.countDown();
            try {
                assertThat(released.await(5 * LIMIT_SECONDS, TimeUnit.SECONDS)).isTrue();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    @Override
    public void close() {
        released.countDown();
    }

    private static final class Filler implements SparkListenerEvent {}
}
