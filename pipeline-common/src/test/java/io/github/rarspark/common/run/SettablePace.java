package io.github.rarspark.common.run;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;

/** Time that passes in pauses only, which take none, and what happens meanwhile. */
final class SettablePace implements Pace {
    private final TreeMap<Duration, Event> events = new TreeMap<>();
    private volatile Duration now = Duration.ZERO;

    /** Something that happens. */
    interface Event {
        void happen() throws IOException;
    }

    /** Lets {@code event} happen after {@code time}. */
    void at(Duration time, Event event) {
        events.put(time, event);
    }

    /** How long all pauses were. */
    Duration paused() {
        return now;
    }

    @Override
    public long nanos() {
        return now.toNanos();
    }

    @Override
    public void pause(Duration duration) {
        now = now.plus(duration);
        for (Map.Entry<Duration, Event> due = events.firstEntry();
                due != null && due.getKey().compareTo(now) <= 0;
                due = events.firstEntry()) {
            events.pollFirstEntry();
            try {
                due.getValue().happen();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
