package io.github.rarspark.kernel.optim;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;

/**
 * Measures where the time of a rank's training steps goes, on the thread that makes them.
 *
 * <p>All-reduces run while the backward pass does, in one call, so {@link Phase#ALL_REDUCE} is the time that the thread
 * slept in {@link Phase#BACKWARD}: it neither computed nor waited for a core. With several libtorch threads per
 * operation, waiting for one of these counts too.
 */
public final class StepClock {
    /** The parts of a step, in their order. */
    public enum Phase {
        /** Reading samples and drawing orders and dropped classes. */
        DATA,
        /** Computing the loss. */
        FORWARD,
        /** Computing the gradients and copying them into buckets. */
        BACKWARD,
        /** Waiting for all-reduces that the backward pass did not hide, and thus for slower ranks. */
        ALL_REDUCE,
        /** Clipping the gradients, updating the weights, clearing the gradients. */
        OPTIMIZER;

        /** The phase's name in results, such as {@code all_reduce}. */
        public String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** Nanoseconds on a core, waiting for one, and number of time slices. */
    private static final Path SCHEDULER_STATISTICS = Path.of("/proc/thread-self/schedstat");

    private final ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    private final EnumMap<Phase, Long> nanos = new EnumMap<>(Phase.class);
    private Phase current;
    private long since;
    private long awakeBefore;

    /** Ends the current phase, if there is one, and begins {@code phase}. */
    public void begin(Phase phase) {
        end();
        current = phase;
        if (phase == Phase.BACKWARD) {
            awakeBefore = awakeNanos();
        }
        since = System.nanoTime();
    }

    /** Ends the current phase; what follows counts to none. */
    public void end() {
        if (current == null) {
            return;
        }
        long duration = System.nanoTime() - since;
        if (current == Phase.BACKWARD) {
            long awake = Math.min(duration, awakeNanos() - awakeBefore);
            nanos.merge(Phase.ALL_REDUCE, duration - awake, Long::sum);
            duration = awake;
        }
        nanos.merge(current, duration, Long::sum);
        current = null;
    }

    /** The seconds of each phase since the last call, also of those that did not occur. */
    public Map<Phase, Double> take() {
        EnumMap<Phase, Double> seconds = new EnumMap<>(Phase.class);
        for (Phase phase : Phase.values()) {
            seconds.put(phase, nanos.getOrDefault(phase, 0L) / 1e9);
        }
        nanos.clear();
        return seconds;
    }

    /** How long the calling thread has been on a core or waiting for one. */
    private long awakeNanos() {
        try {
            String[] statistics = Files.readString(SCHEDULER_STATISTICS).trim().split(" ");
            return threads.getCurrentThreadCpuTime() + Long.parseLong(statistics[1]);
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot read " + SCHEDULER_STATISTICS, e);
        }
    }
}
