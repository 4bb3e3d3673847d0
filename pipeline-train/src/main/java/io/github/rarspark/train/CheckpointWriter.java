package io.github.rarspark.train;

import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.storage.Stored;
import io.github.rarspark.conf.TrainSettings;
import io.github.rarspark.kernel.rar.RarConfig;
import io.github.rarspark.train.coordinator.CoordinatorClient;
import io.github.rarspark.train.coordinator.Report;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Writes checkpoints while the training goes on, one at a time, and reports each to the driver, which publishes it. Rank
 * 0 only.
 */
final class CheckpointWriter implements AutoCloseable {
    private static final long CLOSE_SECONDS = 10;

    private final RankContext context;
    private final RarConfig config;
    private final TrainState state;
    private final ExecutorService thread;
    private TrainSnapshot snapshot;
    private Future<?> writing = CompletableFuture.completedFuture(null);
    private long begunAt = System.nanoTime();

    CheckpointWriter(RankContext context, RarConfig config, TrainState state) {
        this.context = context;
        this.config = config;
        this.state = state;
        this.thread = Executors.newSingleThreadExecutor(task -> {
            Thread writer = new Thread(task, "checkpoint-writer");
            writer.setDaemon(true);
            return writer;
        });
    }

    /** Whether {@code train.checkpoint_minutes} have passed since the last checkpoint was begun. */
    boolean isDue() {
        double minutes = context.settings().checkpointMinutes();
        return minutes > 0
                && System.nanoTime() - begunAt
                        >= minutes * Duration.ofMinutes(1).toNanos();
    }

    /** Copies the state, once the checkpoint before is complete, and begins to write the copy. */
    void begin() throws IOException, InterruptedException {
        await();
        begunAt = System.nanoTime();
        TrainSnapshot copy = state.snapshot();
        snapshot = copy;
        writing = thread.submit(() -> {
            try (copy) {
                write(copy);
            }
            return null;
        });
    }

    /** Throws what has kept the checkpoint from being written, if it has failed. */
    void check() throws IOException, InterruptedException {
        if (writing.isDone()) {
            await();
        }
    }

    /** Waits until the checkpoint that was begun last is published. */
    void await() throws IOException, InterruptedException {
        try {
            writing.get(limit().toSeconds(), TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof IOException cause) {
                throw cause;
            }
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw new IllegalStateException("Cannot write a checkpoint", e.getCause());
        } catch (TimeoutException e) {
            throw new IOException(
                    "Cannot write a checkpoint within " + limit().toSeconds() + " s (train.timeout_seconds)", e);
        }
    }

    private void write(TrainSnapshot snapshot) throws IOException {
        RankAssignment assignment = context.assignment();
        Storage storage = context.storage();
        StepCounter counter = snapshot.counter();
        long step = counter.step();
        String name = Checkpoints.name(step, assignment.attempt(), assignment.restart(), assignment.owner());
        String directory = Storage.child(Storage.child(assignment.output(), Checkpoints.FOLDER), name);
        List<Stored> files = snapshot.write(storage, directory, ModelMetadata.of(config, assignment, step));
        files.add(storage.putJson(
                Storage.child(directory, Checkpoints.STATE),
                Map.of(
                        "step", step,
                        "skipped", counter.skipped(),
                        "skipped_in_row", counter.skippedInRow(),
                        "ranks", context.group().worldSize(),
                        "restarts", assignment.restart(),
                        "plan", assignment.planSha256())));
        // A connection of its own: the training reports on the other one meanwhile.
        try (CoordinatorClient driver = new CoordinatorClient(assignment.coordinator(), limit())) {
            driver.send(new Report.Checkpoint(step, name, files));
        }
    }

    private Duration limit() {
        TrainSettings settings = context.settings();
        return Duration.ofSeconds(settings.timeoutSeconds());
    }

    /** Gives up a checkpoint that is being written. */
    @Override
    public void close() {
        if (!thread.shutdownNow().isEmpty()) {
            snapshot.close(); // Else its writer does.
        }
        boolean interrupted = Thread.interrupted();
        try {
            thread.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            interrupted = true;
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
