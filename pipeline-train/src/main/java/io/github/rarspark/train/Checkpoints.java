package io.github.rarspark.train;

import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.spark.SparkSessions;
import io.github.rarspark.common.spark.UnitTasks;
import io.github.rarspark.common.storage.Json;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.weights.WeightFile;
import io.github.rarspark.kernel.error.DataException;
import java.io.IOException;
import java.io.InputStream;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.sql.SparkSession;

/**
 * The checkpoints of a run: {@code checkpoints/step-000000100-a1-r0-1b9d6bcd/}, written by rank 0, and {@code
 * checkpoints/LAST}, the name of the one that was published last. A checkpoint is valid once the driver has published
 * it: its manifest, then LAST, each after checking that its attempt still owns the run.
 */
final class Checkpoints {
    static final String FOLDER = "checkpoints";
    static final String LAST = FOLDER + "/LAST";
    static final String MODEL = "model.safetensors";
    static final String OPTIMIZER = "optimizer.safetensors";
    static final String EMA = "ema.safetensors";
    static final String STATE = "state.json";

    /** Step, attempt and restart in a folder's name; what follows only keeps writers apart. */
    private static final Pattern NAME = Pattern.compile("step-(\\d{9,18})-a(\\d{1,9})(?:-r(\\d{1,9}))?(?:-.*)?");

    private Checkpoints() {}

    /**
     * A published checkpoint.
     *
     * @param directory its folder
     * @param model its weights, as the manifest has them
     * @param optimizer its moments, as the manifest has them
     * @param averages of its weights, as the manifest has them; null if there are none
     */
    record Reference(long step, String directory, WeightFile model, WeightFile optimizer, WeightFile averages)
            implements Serializable {
        private static Reference of(CheckpointManifest manifest, String directory) {
            return new Reference(
                    manifest.step(),
                    directory,
                    manifest.weights(MODEL, directory),
                    manifest.weights(OPTIMIZER, directory),
                    manifest.lists(EMA) ? manifest.weights(EMA, directory) : null);
        }

        /** How far the training was. */
        StepCounter counter(Storage storage) throws IOException {
            return storage.readJson(Storage.child(directory, STATE), StepCounter.class);
        }
    }

    /**
     * What a run can resume from.
     *
     * @param newest the newest checkpoint that is whole
     * @param refused newer published ones, the newest first
     */
    record Found(Optional<Reference> newest, List<Refused> refused) {
        /** A line for each checkpoint that was refused. */
        List<String> warnings() {
            String from = newest.map(whole -> "step " + whole.step()).orElse("the beginning");
            return refused.stream()
                    .map(checkpoint -> "checkpoint " + checkpoint.directory() + " is corrupt (" + checkpoint.reason()
                            + "); training resumed from " + from)
                    .toList();
        }
    }

    /** A published checkpoint that cannot be used. */
    record Refused(String directory, String reason) {}

    /**
     * The folder's name of a checkpoint after {@code step} updates. Whatever an older attempt, the ranks before a restart
     * or another driver that took itself for the same attempt still write has another name.
     *
     * @param restart of the attempt, 0 before the first
     * @param owner tells the driver from others
     */
    static String name(long step, int attempt, int restart, String owner) {
        return String.format(Locale.ROOT, "step-%09d-a%d-r%d-%s", step, attempt, restart, owner);
    }

    /** Publishes a complete checkpoint. Driver only. */
    static Reference publish(OutputClaim claim, String name, CheckpointManifest manifest) throws IOException {
        byte[] json = Json.pretty(manifest);
        claim.publish(FOLDER + "/" + name + "/" + CheckpointManifest.NAME, out -> out.write(json));
        claim.publish(LAST, out -> out.write((name + "\n").getBytes(StandardCharsets.UTF_8)));
        return Reference.of(manifest, claim.path(FOLDER + "/" + name));
    }

    /**
     * Looks for the newest checkpoint that is whole: of this run's plan, with all files as its manifest has them, which
     * tasks find out. Those of a later attempt come before those of an earlier one, whose driver may have published one
     * after it was taken over. LAST is for people; it may be gone or wrong. Driver only.
     */
    private static Found find(SparkSession session, OutputClaim claim) throws IOException {
        Storage storage = claim.storage();
        List<Refused> refused = new ArrayList<>();
        for (String name : newestFirst(storage.directories(claim.path(FOLDER)))) {
            String directory = claim.path(FOLDER + "/" + name);
            if (isPublished(storage, directory)) {
                try {
                    return new Found(Optional.of(whole(session, claim, directory)), refused);
                } catch (DataException e) {
                    refused.add(new Refused(directory, e.getMessage()));
                }
            }
        }
        return new Found(Optional.empty(), refused);
    }

    private static boolean isPublished(Storage storage, String directory) throws IOException {
        return storage.exists(Storage.child(directory, CheckpointManifest.NAME));
    }

    /**
     * As {@link #find}; deletes what earlier ranks, none of which runs any more, have not finished, and what is refused if
     * there is another to resume from. Driver only.
     */
    static Found resume(SparkSession session, OutputClaim claim) throws IOException {
        Found found = find(session, claim);
        Storage storage = claim.storage();
        for (String name : newestFirst(storage.directories(claim.path(FOLDER)))) {
            String directory = claim.path(FOLDER + "/" + name);
            if (!isPublished(storage, directory)) {
                delete(claim, directory);
            }
        }
        if (found.newest().isPresent()) {
            for (Refused refused : found.refused()) {
                delete(claim, refused.directory());
            }
        }
        return found;
    }

    /**
     * Deletes all but the newest published checkpoints and those to be kept for good. Driver only.
     *
     * @param published the name of the one that was published last, which stays
     * @param newest how many to keep; 0 for all
     * @param every the steps whose multiples are kept for good; 0 for none
     */
    static void deleteOld(OutputClaim claim, String published, int newest, int every) throws IOException {
        if (newest == 0) {
            return;
        }
        Storage storage = claim.storage();
        int kept = 1;
        for (String name : newestFirst(storage.directories(claim.path(FOLDER)))) {
            String directory = claim.path(FOLDER + "/" + name);
            if (name.equals(published) || !isPublished(storage, directory)) {
                continue;
            }
            kept++;
            if (kept > newest && (every == 0 || step(name) % every != 0)) {
                delete(claim, directory);
            }
        }
    }

    /** Without its manifest a checkpoint no longer counts, whatever of the rest can be deleted. */
    private static void delete(OutputClaim claim, String directory) throws IOException {
        claim.check();
        claim.storage().delete(Storage.child(directory, CheckpointManifest.NAME));
        claim.storage().delete(directory);
    }

    private static long step(String name) {
        Matcher matcher = NAME.matcher(name);
        return matcher.matches() ? Long.parseLong(matcher.group(1)) : 0;
    }

    private static List<String> newestFirst(List<String> names) {
        record Named(int attempt, long step, int restart, String name) {}
        return names.stream()
                .map(NAME::matcher)
                .filter(Matcher::matches)
                .map(name -> new Named(
                        Integer.parseInt(name.group(2)),
                        Long.parseLong(name.group(1)),
                        name.group(3) == null ? 0 : Integer.parseInt(name.group(3)),
                        name.group()))
                .sorted(Comparator.comparingInt(Named::attempt)
                        .thenComparingLong(Named::step)
                        .thenComparingInt(Named::restart)
                        .thenComparing(Named::name)
                        .reversed())
                .map(Named::name)
                .toList();
    }

    /**
     * The checkpoint in {@code directory}.
     *
     * @throws DataException if it is damaged or another run's
     */
    private static Reference whole(SparkSession session, OutputClaim claim, String directory) throws IOException {
        Storage storage = claim.storage();
        CheckpointManifest manifest =
                storage.readJson(Storage.child(directory, CheckpointManifest.NAME), CheckpointManifest.class);
        if (!manifest.plan().equals(claim.plan().sha256())) {
            throw new DataException(CheckpointManifest.NAME + " has another run's plan");
        }
        SparkSessions.describe(session, "check " + directory);
        List<String> defects = new ArrayList<>();
        UnitTasks.run(session, manifest.files(), file -> file.defect(storage, directory), defect -> {
            if (!defect.isEmpty()) {
                defects.add(defect);
            }
        });
        if (!defects.isEmpty()) {
            throw new DataException(String.join(", ", defects));
        }
        return Reference.of(manifest, directory);
    }

    /**
     * Publishes the checkpoint's model, and the averages of its weights if there are any, as the run's result. Driver only.
     *
     * @throws DataException if it is not the file that the checkpoint's manifest lists
     */
    static void publishModel(OutputClaim claim, Reference checkpoint) throws IOException {
        if (checkpoint.averages() != null) {
            publish(claim, EMA, checkpoint.averages());
        }
        publish(claim, MODEL, checkpoint.model());
    }

    private static void publish(OutputClaim claim, String name, WeightFile file) throws IOException {
        claim.publish(name, out -> {
            try (InputStream in = claim.storage().open(file.path())) {
                in.transferTo(out);
            }
            if (!out.sha256().equals(file.sha256())) {
                throw new DataException(
                        "Cannot publish " + file.path() + ": its checksum does not match the checkpoint's manifest");
            }
        });
    }
}
