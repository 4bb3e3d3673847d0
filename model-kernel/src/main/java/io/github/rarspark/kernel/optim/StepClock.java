package io.github.rarspark.kernel.optim;

import ai.djl.Device;
import io.github.rarspark.kernel.tensor.Torch;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * Where the time of a rank's steps goes, by its own clock. A GPU computes while its host goes on, so the clock waits for it
 * at the end of each phase. Nothing waits for another rank to be measured.
 */
public final class StepClock {
    /** What a rank does in a step. */
    public enum Phase {
        /** Reads samples and draws orders. */
        DATA,
        /** Computes the loss. */
        FORWARD,
        /** Computes gradients, and meanwhile starts their all-reduce. */
        BACKWARD,
        /**
         * Waits for gradients of the other ranks: the part of the all-reduce that computing does not hide. Not on GPUs, which
         * do both in one queue: there, all of it is part of the backward pass.
         */
        ALL_REDUCE,
        /** Clips, checks and applies the gradients. */
        OPTIMIZER;

        /** The phase's name in results, such as {@code all_reduce}. */
        public String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** Nanoseconds that the calling thread was on a core and waited for one, and its number of time slices. */
    private static final Path SCHEDULED = Path.of("/proc/thread-self/schedstat");

    private final LongSupplier nanos;
    private final Optional<LongSupplier> awakeNanos;
    private final Runnable device;
    private final long[] spent = new long[Phase.values().length];
    private long lap;

    /**
     * A clock of the calling thread. Where the system does not tell how long it waits for a core, it counts as asleep.
     *
     * @param device that the thread computes on
     */
    public static StepClock ofThread(Device device) {
        if (device.isGpu()) {
            return new StepClock(System::nanoTime, Optional.empty(), () -> Torch.await(device));
        }
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        return new StepClock(
                System::nanoTime,
                Optional.of(
                        Files.isReadable(SCHEDULED)
                                ? () -> threads.getCurrentThreadCpuTime() + nanosWithoutCore()
                                : threads::getCurrentThreadCpuTime),
                () -> {});
    }

    private static long nanosWithoutCore() {
        try {
            return Long.parseLong(Files.readString(SCHEDULED).split(" ")[1]);
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot read " + SCHEDULED, e);
        }
    }

    /**
     * A clock that reads others.
     *
     * @param awakeNanos how long the calling thread has computed or waited for a core, which tells nothing of a GPU
     * @param device waits until it has done what it was given
     */
    StepClock(LongSupplier nanos, Optional<LongSupplier> awakeNanos, Runnable device) {
        this.nanos = nanos;
        this.awakeNanos = awakeNanos;
        this.device = device;
        this.lap = nanos.getAsLong();
    }

    /** Begins a lap that the next {@link #end} counts; what was since the last belongs to no phase. */
    public void begin() {
        device.run();
        lap = nanos.getAsLong();
    }

    /** Counts what has passed since the last call as {@code phase}. */
    public void end(Phase phase) {
        device.run();
        long now = nanos.getAsLong();
        spent[phase.ordinal()] += now - lap;
        lap = now;
    }

    /**
     * Runs a backward pass that averages its gradients with other ranks, and on a CPU counts the time in which the thread
     * slept as {@link Phase#ALL_REDUCE}. With several libtorch threads per operation, that includes waiting for one of these.
     */
    public void endReduced(Runnable backward) {
        if (awakeNanos.isEmpty()) {
            backward.run();
            end(Phase.BACKWARD);
            return;
        }
        long awakeBefore = awakeNanos.get().getAsLong();
        backward.run();
        long awake = awakeNanos.get().getAsLong() - awakeBefore;
        long now = nanos.getAsLong();
        long slept = Math.max(0, now - lap - awake);
        spent[Phase.ALL_REDUCE.ordinal()] += slept;
        spent[Phase.BACKWARD.ordinal()] += now - lap - slept;
        lap = now;
    }

    /** The seconds spent in each phase since the last call, in the order of {@link Phase}. */
    public double[] take() {
        double[] seconds =
                Arrays.stream(spent).mapToDouble(phase -> phase / 1e9).toArray();
        Arrays.fill(spent, 0);
        return seconds;
    }
}
