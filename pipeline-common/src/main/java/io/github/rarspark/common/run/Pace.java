package io.github.rarspark.common.run;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import java.time.Duration;

/** Time that only goes forward, and pauses. */
interface Pace {
    /** The time of this process. */
    Pace SYSTEM = new Pace() {
        @Override
        public long nanos() {
            return System.nanoTime();
        }

        @Override
        public void pause(Duration duration) {
            try {
                Thread.sleep(duration.toMillis());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new JobException(ExitCode.INTERRUPTED, "Interrupted while waiting for another driver", e);
            }
        }
    };

    /** Nanoseconds since some moment. */
    long nanos();

    /** Lets {@code duration} pass. */
    void pause(Duration duration);
}
