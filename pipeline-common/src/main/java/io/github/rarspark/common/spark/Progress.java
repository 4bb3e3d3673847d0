package io.github.rarspark.common.spark;

import java.io.PrintStream;
import java.time.Duration;
import java.util.Locale;
import java.util.function.Consumer;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.DelegatingProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarRenderer;
import me.tongfei.progressbar.ProgressBarStyle;
import me.tongfei.progressbar.ProgressState;

/**
 * How far a driver is, with rate and remaining time, on stderr: a bar on a terminal, else a line every ten seconds in
 * which something got done and one at the end. Thread-safe.
 */
public final class Progress implements AutoCloseable {
    private static final Duration LINE_EVERY = Duration.ofSeconds(10);

    private final ProgressBar bar;

    private Progress(ProgressBarBuilder bar, String task, long total) {
        this.bar = bar.setTaskName(task).setInitialMax(total).build();
    }

    /** Progress for a run of {@code total} units, such as {@code shards}; silent if {@code quiet}. */
    public static Progress start(String task, String unit, long total, boolean quiet) {
        if (quiet) {
            ProgressBarBuilder silent = new ProgressBarBuilder()
                    .setRenderer((state, maxLength) -> "")
                    .setConsumer(new DelegatingProgressBarConsumer(text -> {}, 0));
            return new Progress(silent, task, total);
        }
        if (System.console() == null) {
            return lines(task, unit, total, System.err, LINE_EVERY);
        }
        ProgressBarBuilder onTerminal = new ProgressBarBuilder()
                .setUnit(" " + unit, 1)
                .setStyle(ProgressBarStyle.ASCII)
                .showSpeed()
                .setConsumer(new ConsoleProgressBarConsumer(System.err));
        return new Progress(onTerminal, task, total);
    }

    /** Progress as plain lines, for logs and pipes. */
    static Progress lines(String task, String unit, long total, PrintStream out, Duration every) {
        Consumer<String> print = line -> {
            if (!line.isEmpty()) {
                out.println(line);
            }
        };
        ProgressBarBuilder lines = new ProgressBarBuilder()
                .setUpdateIntervalMillis(Math.toIntExact(every.toMillis()))
                .setRenderer(new LineRenderer(unit))
                .setConsumer(new DelegatingProgressBarConsumer(print, Integer.MAX_VALUE));
        return new Progress(lines, task, total);
    }

    /** Notes that {@code units} more are done. */
    public void step(long units) {
        bar.stepBy(units);
    }

    /** Notes that {@code units} are done in all, perhaps fewer than before. */
    public void stepTo(long units) {
        bar.stepTo(units);
    }

    /** Says something else about the present state, such as the loss. */
    public void note(String text) {
        bar.setExtraMessage(" " + text);
    }

    @Override
    public void close() {
        boolean interrupted = Thread.interrupted(); // would keep the bar from waiting for its last update, and get lost
        bar.close();
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Lines without those that a bar is drawn with before the first unit is done and once more after the end. */
    private static final class LineRenderer implements ProgressBarRenderer {
        private final String unit;
        private boolean ended;

        LineRenderer(String unit) {
            this.unit = unit;
        }

        @Override
        public synchronized String render(ProgressState state, int maxLength) {
            boolean alive = state.isAlive();
            if (ended || alive && state.getCurrent() == 0) {
                return "";
            }
            ended = !alive;
            String note = state.getExtraMessage();
            return line(state.getTaskName(), state.getCurrent(), state.getMax(), unit, state.getElapsedAfterStart())
                    + (note.isEmpty() ? "" : "," + note);
        }
    }

    static String line(String task, long done, long total, String unit, Duration elapsed) {
        double seconds = Math.max(1e-3, elapsed.toMillis() / 1e3);
        double rate = done / seconds;
        String rest = done >= total || done == 0
                ? String.format(Locale.ROOT, "in %.0f s", seconds)
                : String.format(Locale.ROOT, "%.0f s left", (total - done) / rate);
        return String.format(
                Locale.ROOT, "%s: %d of %d %s, %s %s/s, %s", task, done, total, unit, significant(rate), unit, rest);
    }

    private static String significant(double rate) {
        return String.format(Locale.ROOT, rate >= 100 ? "%.0f" : rate >= 1 ? "%.1f" : "%.3f", rate);
    }
}
