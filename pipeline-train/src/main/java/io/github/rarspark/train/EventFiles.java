package io.github.rarspark.train;

import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.kernel.image.ImageDecoder;
import io.github.rarspark.kernel.image.PngEncoder;
import io.github.rarspark.kernel.image.RgbImage;
import io.github.rarspark.train.coordinator.Report;
import io.github.rarspark.train.tensorboard.Events;
import io.github.rarspark.train.tensorboard.RecordWriter;
import java.io.IOException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * {@code events.out.tfevents.a000001-r000000-s000000100}, TensorBoard's view of a run: one file for each checkpoint, with
 * the events since the one before, since object stores cannot append. TensorBoard reads the files in the order of their
 * names: attempt, restart, step. Driver only.
 *
 * <p>Every step is there once. A training that resumes deletes the files that hold steps it makes again; and its first
 * file says where it resumes, which makes readers forget such steps that they have read already, or that another driver
 * still published.
 */
final class EventFiles {
    private static final String PREFIX = "events.out.tfevents.";
    private static final Pattern NAME = Pattern.compile(Pattern.quote(PREFIX) + "a\\d{6,9}-r\\d{6,9}-s(\\d{9,18})");

    private final OutputClaim claim;
    private final InstantSource clock;
    private final List<Event> pending = new ArrayList<>();
    private int restart;

    private record Event(long step, byte[] encoded) {}

    private EventFiles(OutputClaim claim, InstantSource clock) {
        this.claim = claim;
        this.clock = clock;
    }

    /** The files of an attempt that resumes after {@code step} updates. */
    static EventFiles resumeAt(OutputClaim claim, long step, InstantSource clock) throws IOException {
        EventFiles files = new EventFiles(claim, clock);
        files.begin(step);
        return files;
    }

    /** Drops what came after {@code step} updates, which a restarted training makes again. */
    void rewindTo(long step, int newRestart) throws IOException {
        pending.removeIf(event -> event.step() > step);
        begin(step);
        restart = newRestart;
    }

    private void begin(long step) throws IOException {
        claim.check();
        Storage storage = claim.storage();
        for (String name : storage.list(claim.directory())) {
            Matcher matcher = NAME.matcher(name);
            if (matcher.matches() && Long.parseLong(matcher.group(1)) > step) {
                storage.delete(claim.path(name));
            }
        }
        pending.add(new Event(step, Events.sessionStart(now(), step + 1)));
    }

    void add(Report.Progress update) {
        Map<String, Double> values = new LinkedHashMap<>();
        values.put("loss/all", update.loss());
        if (update.lossPermuted() != null) {
            values.put("loss/permuted", update.lossPermuted());
        }
        if (update.lossScanOrder() != null) {
            values.put("loss/scan_order", update.lossScanOrder());
        }
        values.put("gradient_norm", update.gradientNorm());
        values.put("learning_rate", update.learningRate());
        values.put("permutation_probability", update.permutationProbability());
        values.put("images_per_second", update.imagesPerSecond());
        Report.TimeShares time = update.timeShares();
        values.put("time_share/data", time.data());
        values.put("time_share/forward", time.forward());
        values.put("time_share/backward", time.backward());
        values.put("time_share/all_reduce", time.allReduce());
        values.put("time_share/optimizer", time.optimizer());
        values.put("skipped", (double) update.skipped());
        values.put("restarts", (double) update.restarts());
        pending.add(new Event(update.step(), Events.scalars(now(), update.step(), values)));
    }

    /** Adds a text, such as a warning. */
    void note(long step, String tag, String text) {
        pending.add(new Event(step, Events.text(now(), step, tag, text)));
    }

    /**
     * Adds the rows of a sample grid, each under its caption.
     *
     * @param png the grid
     * @param captions of the rows
     */
    void grid(long step, byte[] png, List<String> captions) {
        RgbImage grid = new ImageDecoder().decode(png, "the sample grid of step " + step);
        int height = (grid.height() - SampleGrid.PADDING) / captions.size() + SampleGrid.PADDING;
        Map<String, byte[]> rows = new LinkedHashMap<>();
        for (int row = 0; row < captions.size(); row++) {
            int from = row * (height - SampleGrid.PADDING) * grid.width() * RgbImage.CHANNELS;
            int length = height * grid.width() * RgbImage.CHANNELS;
            byte[] pixels = Arrays.copyOfRange(grid.pixels(), from, from + length);
            rows.put("samples/" + captions.get(row), PngEncoder.encode(new RgbImage(grid.width(), height, pixels)));
        }
        pending.add(new Event(step, Events.images(now(), step, grid.width(), height, rows)));
    }

    /** Publishes the events up to {@code step}, at which there is a checkpoint. */
    void publish(long step) throws IOException {
        List<Event> events =
                pending.stream().filter(event -> event.step() <= step).toList();
        if (events.isEmpty()) {
            return;
        }
        String name = String.format(Locale.ROOT, "%sa%06d-r%06d-s%09d", PREFIX, claim.attempt(), restart, step);
        claim.publish(name, out -> {
            RecordWriter records = new RecordWriter(out);
            records.write(Events.fileVersion(now()));
            for (Event event : events) {
                records.write(event.encoded());
            }
        });
        pending.removeIf(event -> event.step() <= step);
    }

    private Instant now() {
        return clock.instant();
    }
}
