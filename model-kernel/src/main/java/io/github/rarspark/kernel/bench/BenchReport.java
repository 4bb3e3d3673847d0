package io.github.rarspark.kernel.bench;

/** What a benchmark found. */
public interface BenchReport {
    /** The report for people to read, without a line end after the last line. */
    String text();
}
