package io.github.rarspark.train;

import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.spark.Progress;
import io.github.rarspark.conf.TrainSettings;
import io.github.rarspark.train.coordinator.Coordinator;
import io.github.rarspark.train.coordinator.Report;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Handles the reports of a stage's ranks: hands heartbeats on to the monitor, records metrics, shows progress, publishes
 * checkpoints and collects failures. Driver only.
 */
final class RankReports implements Coordinator.Handler {
    private static final Logger LOG = LoggerFactory.getLogger(RankReports.class);

    private final TrainSettings settings;
    private final OutputClaim claim;
    private final MetricsLog metrics;
    private final Progress progress;
    private final RankMonitor monitor;
    private final List<String> captions;
    private final RankWarnings warnings;
    private final List<Report.Failure> failures = new CopyOnWriteArrayList<>();
    private Optional<Checkpoints.Reference> last;

    /**
     * Begins to handle reports.
     *
     * @param captions of the rows of a sample grid
     * @param resume the checkpoint that the ranks resume from
     */
    RankReports(
            TrainSettings settings,
            OutputClaim claim,
            MetricsLog metrics,
            Progress progress,
            RankMonitor monitor,
            List<String> captions,
            Optional<Checkpoints.Reference> resume) {
        this.settings = settings;
        this.claim = claim;
        this.metrics = metrics;
        this.progress = progress;
        this.monitor = monitor;
        this.captions = captions;
        this.warnings = new RankWarnings(System::nanoTime, metrics);
        this.last = resume;
    }

    @Override
    public void handle(Report report) throws IOException {
        if (report instanceof Report.Heartbeat heartbeat) {
            monitor.heard(heartbeat);
        } else if (report instanceof Report.Progress update) {
            metrics.add(update);
            progress.stepTo(update.step());
            progress.note(String.format(
                    Locale.ROOT,
                    "loss %.4f, gradient norm %.3g, lr %.3g, r %.2f, %.1f images/s",
                    update.loss(),
                    update.gradientNorm(),
                    update.learningRate(),
                    update.permutationProbability(),
                    update.imagesPerSecond()));
        } else if (report instanceof Report.Grid grid) {
            metrics.grid(grid.step(), claim.storage().readBytes(grid.path()), captions);
        } else if (report instanceof Report.Warning warning) {
            warnings.heard(warning);
        } else if (report instanceof Report.Checkpoint checkpoint) {
            publish(checkpoint);
        } else if (report instanceof Report.Failure failure) {
            failures.add(failure);
        }
    }

    /**
     * The metrics come first: whoever resumes from the checkpoint finds the lines up to it, and drops those after it if
     * the driver dies in between.
     */
    private synchronized void publish(Report.Checkpoint checkpoint) throws IOException {
        metrics.publish(checkpoint.step());
        List<CheckpointManifest.File> files =
                checkpoint.files().stream().map(CheckpointManifest.File::of).toList();
        last = Optional.of(Checkpoints.publish(
                claim,
                checkpoint.directory(),
                new CheckpointManifest(
                        checkpoint.step(), claim.attempt(), claim.plan().sha256(), files)));
        try {
            Checkpoints.deleteOld(claim, checkpoint.directory(), settings.keepLast(), settings.keepEvery());
        } catch (IOException e) {
            LOG.warn("Cannot delete old checkpoints; trying again after the next", e);
        }
    }

    /** The newest published checkpoint. */
    synchronized Optional<Checkpoints.Reference> last() {
        return last;
    }

    /** The failures so far, in the order in which they were reported. */
    List<Report.Failure> failures() {
        return List.copyOf(failures);
    }
}
