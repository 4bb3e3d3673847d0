package io.github.rarspark.common.images;

import java.util.concurrent.atomic.LongAdder;

/** Adds up where the time of {@link PreparedImages} goes, in nanoseconds of all its threads. */
final class PreparationClock {
    private static final double NANOS_PER_SECOND = 1e9;

    /** Reading by the thread that goes through the unit. */
    final LongAdder streaming = new LongAdder();

    /** Reading by the threads that prepare images. */
    final LongAdder reading = new LongAdder();

    /** Decoding. */
    final LongAdder decoding = new LongAdder();

    /** What is made of the pixels. */
    final LongAdder preparing = new LongAdder();

    /** The wait of the thread that takes. */
    final LongAdder taking = new LongAdder();

    /** A stretch of time that ends when it is closed. */
    record Lap(LongAdder total, long start) implements AutoCloseable {
        @Override
        public void close() {
            total.add(System.nanoTime() - start);
        }
    }

    Lap start(LongAdder total) {
        return new Lap(total, System.nanoTime());
    }

    PreparationSeconds seconds() {
        return new PreparationSeconds(
                seconds(streaming), seconds(reading), seconds(decoding), seconds(preparing), seconds(taking));
    }

    private static double seconds(LongAdder nanos) {
        return nanos.sum() / NANOS_PER_SECOND;
    }
}
