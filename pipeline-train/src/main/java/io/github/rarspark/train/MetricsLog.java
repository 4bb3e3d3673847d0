package io.github.rarspark.train;

import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.storage.Json;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.train.coordinator.Report;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;

/**
 * What a run leaves of its updates: {@code metrics.jsonl}, one line for every reported update, and the {@link EventFiles}.
 * The lines are written whole at each checkpoint, since object stores cannot append, and none is there twice after a run
 * has resumed. Driver only.
 */
final class MetricsLog {
    static final String NAME = "metrics.jsonl";

    private final OutputClaim claim;
    private final EventFiles events;
    private final List<Report.Progress> lines = new ArrayList<>();

    private MetricsLog(OutputClaim claim, EventFiles events) {
        this.claim = claim;
        this.events = events;
    }

    /**
     * The log as of {@code step} updates.
     *
     * @throws DataException if a line of it is malformed
     */
    static MetricsLog resumeAt(OutputClaim claim, long step) throws IOException {
        MetricsLog log = new MetricsLog(claim, EventFiles.resumeAt(claim, step, InstantSource.system()));
        Storage storage = claim.storage();
        if (step > 0 && storage.exists(claim.path(NAME))) {
            List<String> lines = storage.readString(claim.path(NAME)).lines().toList();
            for (int i = 0; i < lines.size(); i++) {
                Report.Progress progress = parse(lines.get(i), claim.path(NAME), i + 1);
                if (progress.step() <= step) {
                    log.lines.add(progress);
                }
            }
        }
        return log;
    }

    private static Report.Progress parse(String line, String path, int number) {
        try {
            return Json.read(line.getBytes(StandardCharsets.UTF_8), Report.Progress.class, path);
        } catch (DataException e) {
            throw new DataException(
                    "Cannot resume " + path + ": line " + number
                            + " is malformed; delete this line and run again, which keeps the other lines",
                    e);
        }
    }

    /** Drops what came after {@code step} updates, which a restarted training makes again. */
    void rewindTo(long step, int restart) throws IOException {
        lines.removeIf(line -> line.step() > step);
        events.rewindTo(step, restart);
    }

    void add(Report.Progress progress) {
        lines.add(progress);
        events.add(progress);
    }

    /** Adds a text, such as a warning, for TensorBoard only. */
    void note(long step, String tag, String text) {
        events.note(step, tag, text);
    }

    /** Adds a sample grid with a caption for each row, for TensorBoard only. */
    void grid(long step, byte[] png, List<String> captions) {
        events.grid(step, png, captions);
    }

    /** The newest line; null before the first. */
    Report.Progress last() {
        return lines.isEmpty() ? null : lines.get(lines.size() - 1);
    }

    /** Publishes what belongs to the checkpoint of {@code step}, before the checkpoint itself. */
    void publish(long step) throws IOException {
        StringBuilder text = new StringBuilder();
        lines.forEach(line -> text.append(Json.line(line)).append('\n'));
        claim.publish(NAME, out -> out.write(text.toString().getBytes(StandardCharsets.UTF_8)));
        events.publish(step);
    }
}
