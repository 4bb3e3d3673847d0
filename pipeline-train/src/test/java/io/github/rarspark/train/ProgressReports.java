package io.github.rarspark.train;

import io.github.rarspark.train.coordinator.Report;

/** Reports of updates, for tests that care for their steps. */
public final class ProgressReports {
    private ProgressReports() {}

    /** The report of an update whose samples are all in random orders. */
    public static Report.Progress of(long step, double loss) {
        return new Report.Progress(
                step, loss, loss, null, 1, 1e-3, 0.5, 100, new Report.TimeShares(0.01, 0.3, 0.6, 0.05, 0.02), 0, 0);
    }
}
