package io.github.rarspark.train;

import io.github.rarspark.train.coordinator.Report;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Repeats the warnings of ranks in the driver's log and in TensorBoard, but not more than a few in a minute. Driver only. */
final class RankWarnings {
    private static final Logger LOG = LoggerFactory.getLogger(RankWarnings.class);
    private static final int MOST_IN_A_MINUTE = 10;
    private static final String TAG = "warnings";

    private final LongSupplier nanos;
    private final MetricsLog metrics;
    private final Deque<Long> recent = new ArrayDeque<>();
    private long dropped;

    RankWarnings(LongSupplier nanos, MetricsLog metrics) {
        this.nanos = nanos;
        this.metrics = metrics;
    }

    void heard(Report.Warning warning) {
        long now = nanos.getAsLong();
        while (!recent.isEmpty()
                && now - recent.getFirst() > Duration.ofMinutes(1).toNanos()) {
            recent.removeFirst();
        }
        if (recent.size() == MOST_IN_A_MINUTE) {
            dropped++;
            return;
        }
        recent.addLast(now);
        String text = "rank " + warning.rank() + ": " + warning.message()
                + (dropped == 0 ? "" : " (" + dropped + " more warnings are in the executors' logs)");
        dropped = 0;
        LOG.warn("After step {}, {}", warning.step(), text);
        metrics.note(warning.step(), TAG, text);
    }
}
