package io.github.rarspark.common.run;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import java.time.Duration;

/** A monotonic clock, and pauses. */
interface Pace {
    /** The clock of this process. */
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

    /** Nanoseconds since an arbitrary origin. */
    long nanos();

    /** Sleeps for {@code duration}. */
    void pause(Duration duration);
}
