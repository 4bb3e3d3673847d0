package io.github.rarspark.train;

import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.function.LongSupplier;

/**
 * Where a rank's time goes, by its own clock: nothing waits for a device or another rank to be measured, so what a GPU
 * does counts in the phase in which the rank waits for it.
 */
final class StepClock {
    /** What a rank does in a step. */
    enum Phase {
        /** Reads samples and draws orders. */
        DATA,
        /** Computes the loss. */
        FORWARD,
        /** Computes gradients, and meanwhile starts their all-reduce. */
        BACKWARD,
        /** Waits for gradients of the other ranks: the part of the all-reduce that computing does not hide. */
        ALL_REDUCE,
        /** Clips, checks and applies the gradients. */
        OPTIMIZER
    }

    private final LongSupplier nanos;
    private final LongSupplier cpuNanos;
    private final long[] spent = new long[Phase.values().length];
    private long lap;

    /** A clock of the calling thread. */
    static StepClock ofThread() {
        return new StepClock(System::nanoTime, ManagementFactory.getThreadMXBean()::getCurrentThreadCpuTime);
    }

    /**
     * A clock that reads others.
     *
     * @param cpuNanos the processor time of the calling thread
     */
    StepClock(LongSupplier nanos, LongSupplier cpuNanos) {
        this.nanos = nanos;
        this.cpuNanos = cpuNanos;
        this.lap = nanos.getAsLong();
    }

    /** Begins a lap that the next {@link #end} counts; what was since the last belongs to no phase. */
    void begin() {
        lap = nanos.getAsLong();
    }

    /** Counts what has passed since the last call as {@code phase}. */
    void end(Phase phase) {
        long now = nanos.getAsLong();
        spent[phase.ordinal()] += now - lap;
        lap = now;
    }

    /**
     * Runs a backward pass that averages its gradients with other ranks, and counts the time in which the thread did
     * not compute as {@link Phase#ALL_REDUCE}. That includes waiting for a processor, if the machine has too few.
     */
    void endReduced(Runnable backward) {
        long computedBefore = cpuNanos.getAsLong();
        backward.run();
        long computed = cpuNanos.getAsLong() - computedBefore;
        long now = nanos.getAsLong();
        long waited = Math.max(0, now - lap - computed);
        spent[Phase.ALL_REDUCE.ordinal()] += waited;
        spent[Phase.BACKWARD.ordinal()] += now - lap - waited;
        lap = now;
    }

    /** The seconds spent in each phase since the last call, in the order of {@link Phase}. */
    double[] take() {
        double[] seconds =
                Arrays.stream(spent).mapToDouble(phase -> phase / 1e9).toArray();
        Arrays.fill(spent, 0);
        return seconds;
    }
}
