package io.github.rarspark.train;

import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.storage.Json;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.train.coordinator.Report;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * {@code metrics.jsonl}: one line for every reported update. The object is written whole at each checkpoint, since object
 * stores cannot append, and holds no line that a resumed run would write again. Driver only.
 */
final class MetricsLog {
    static final String NAME = "metrics.jsonl";

    private final OutputClaim claim;
    private final List<Report.Progress> lines = new ArrayList<>();

    private MetricsLog(OutputClaim claim) {
        this.claim = claim;
    }

    /**
     * The log as of {@code step} updates.
     *
     * @throws DataException if a line of it is malformed
     */
    static MetricsLog resumeAt(OutputClaim claim, long step) throws IOException {
        MetricsLog log = new MetricsLog(claim);
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

    /** Drops the lines after {@code step} updates, which a restarted training makes again. */
    void rewindTo(long step) {
        lines.removeIf(line -> line.step() > step);
    }

    void add(Report.Progress progress) {
        lines.add(progress);
    }

    /** The newest line; null before the first. */
    Report.Progress last() {
        return lines.isEmpty() ? null : lines.get(lines.size() - 1);
    }

    void publish() throws IOException {
        StringBuilder text = new StringBuilder();
        lines.forEach(line -> text.append(Json.line(line)).append('\n'));
        claim.publish(NAME, out -> out.write(text.toString().getBytes(StandardCharsets.UTF_8)));
    }
}
