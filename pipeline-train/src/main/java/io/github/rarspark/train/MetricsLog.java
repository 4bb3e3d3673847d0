package io.github.rarspark.train;

import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.storage.Json;
import io.github.rarspark.common.storage.Storage;
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

    /** The log as of {@code step} updates. */
    static MetricsLog resumeAt(OutputClaim claim, long step) throws IOException {
        MetricsLog log = new MetricsLog(claim);
        Storage storage = claim.storage();
        if (step > 0 && storage.exists(claim.path(NAME))) {
            for (String line : storage.readString(claim.path(NAME)).lines().toList()) {
                Report.Progress progress =
                        Json.read(line.getBytes(StandardCharsets.UTF_8), Report.Progress.class, NAME);
                if (progress.step() <= step) {
                    log.lines.add(progress);
                }
            }
        }
        return log;
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
