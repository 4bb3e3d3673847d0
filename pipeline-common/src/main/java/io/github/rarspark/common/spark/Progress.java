package io.github.rarspark.common.spark;

import java.io.PrintStream;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Locale;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/**
 * How far a driver is, with rate and remaining time, on stderr: a bar on a terminal, else a line every ten seconds and
 * one at the end. Thread-safe.
 */
public abstract sealed class Progress implements AutoCloseable {
    private static final Duration LINE_EVERY = Duration.ofSeconds(10);

    /** Progress for a run of {@code total} units, such as {@code shards}; silent if {@code quiet}. */
    public static Progress start(String task, String unit, long total, boolean quiet) {
        if (quiet) {
            return new Silent();
        }
        return System.console() != null
                ? new Bar(task, unit, total)
                : new Lines(task, unit, total, System.err, InstantSource.system());
    }

    /** Notes that {@code units} more are done. */
    public abstract void step(long units);

    /** Says something else about the present state, such as the loss. */
    public abstract void note(String text);

    @Override
    public abstract void close();

    private static final class Silent extends Progress {
        @Override
        public void step(long units) {
            // Says nothing.
        }

        @Override
        public void note(String text) {
            // Says nothing.
        }

        @Override
        public void close() {
            // Says nothing.
        }
    }

    private static final class Bar extends Progress {
        private final ProgressBar bar;

        Bar(String task, String unit, long total) {
            bar = new ProgressBarBuilder()
                    .setTaskName(task)
                    .setInitialMax(total)
                    .setUnit(" " + unit, 1)
                    .setStyle(ProgressBarStyle.ASCII)
                    .showSpeed()
                    .setConsumer(new ConsoleProgressBarConsumer(System.err))
                    .build();
        }

        @Override
        public void step(long units) {
            bar.stepBy(units);
        }

        @Override
        public void note(String text) {
            bar.setExtraMessage(" " + text);
        }

        @Override
        public void close() {
            bar.close();
        }
    }

    /** Plain lines, for logs and pipes. */
    static final class Lines extends Progress {
        private final String task;
        private final String unit;
        private final long total;
        private final PrintStream out;
        private final InstantSource clock;
        private final Instant started;
        private Instant lastLine;
        private long done;
        private String note = "";

        Lines(String task, String unit, long total, PrintStream out, InstantSource clock) {
            this.task = task;
            this.unit = unit;
            this.total = total;
            this.out = out;
            this.clock = clock;
            this.started = clock.instant();
            this.lastLine = started;
        }

        @Override
        public synchronized void step(long units) {
            done += units;
            Instant now = clock.instant();
            if (!now.isBefore(lastLine.plus(LINE_EVERY))) {
                print(now);
            }
        }

        @Override
        public synchronized void note(String text) {
            note = ", " + text;
        }

        @Override
        public synchronized void close() {
            print(clock.instant());
        }

        private void print(Instant now) {
            lastLine = now;
            double seconds = Math.max(1e-3, Duration.between(started, now).toMillis() / 1e3);
            double rate = done / seconds;
            String rest = done >= total || done == 0
                    ? String.format(Locale.ROOT, "in %.0f s", seconds)
                    : String.format(Locale.ROOT, "%.0f s left", (total - done) / rate);
            out.printf(
                    Locale.ROOT,
                    "%s: %d of %d %s, %s %s/s, %s%s%n",
                    task,
                    done,
                    total,
                    unit,
                    significant(rate),
                    unit,
                    rest,
                    note);
        }

        private static String significant(double rate) {
            return String.format(Locale.ROOT, rate >= 100 ? "%.0f" : rate >= 1 ? "%.1f" : "%.3f", rate);
        }
    }
}
