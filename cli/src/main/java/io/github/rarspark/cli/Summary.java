package io.github.rarspark.cli;

import io.github.rarspark.common.run.JobResult;
import java.io.PrintWriter;
import java.util.Locale;

/** What the user sees of a result. */
final class Summary {
    private Summary() {}

    /** Prints the result of a job that is done. */
    static void print(JobResult result, PrintWriter out) {
        out.printf(Locale.ROOT, "%s: done in %.1f s%n", result.command(), result.seconds());
        printNumbers(result, out);
    }

    /** Prints counts, metrics and warnings. */
    static void printNumbers(JobResult result, PrintWriter out) {
        result.counts().forEach((name, count) -> out.printf(Locale.ROOT, "  %-24s %d%n", name, count));
        result.metrics().forEach((name, value) -> out.printf(Locale.ROOT, "  %-24s %.6g%n", name, value));
        result.warnings().forEach(warning -> out.println("  warning: " + warning));
    }
}
