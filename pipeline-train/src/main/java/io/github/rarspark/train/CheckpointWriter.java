package io.github.rarspark.train;

import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.storage.Stored;
import io.github.rarspark.kernel.rar.RarConfig;
import io.github.rarspark.train.coordinator.Report;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Writes the files of a checkpoint and reports them to the driver, which publishes it. Rank 0 only. */
record CheckpointWriter(RankContext context, RarConfig config, TrainState state) {
    void write() throws IOException {
        RankAssignment assignment = context.assignment();
        StepCounter counter = state.counter();
        long step = counter.step();
        Storage storage = context.storage();
        String name = Checkpoints.name(step, assignment.attempt(), assignment.restart(), assignment.owner());
        String directory = Storage.child(Storage.child(assignment.output(), Checkpoints.FOLDER), name);
        List<Stored> files =
                new ArrayList<>(state.write(storage, directory, ModelMetadata.of(config, assignment, step)));
        files.add(storage.putJson(
                Storage.child(directory, Checkpoints.STATE),
                Map.of(
                        "step", step,
                        "skipped", counter.skipped(),
                        "skipped_in_row", counter.skippedInRow(),
                        "ranks", context.group().worldSize(),
                        "restarts", assignment.restart(),
                        "plan", assignment.planSha256())));
        context.report(new Report.Checkpoint(step, name, files));
    }
}
