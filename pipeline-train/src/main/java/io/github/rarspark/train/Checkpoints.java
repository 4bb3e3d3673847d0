package io.github.rarspark.train;

import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.storage.Json;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.storage.Stored;
import io.github.rarspark.common.weights.WeightFile;
import io.github.rarspark.kernel.error.DataException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;

/**
 * The checkpoints of a run: {@code checkpoints/step-000000100-a1-1b9d6bcd/}, written by rank 0, and {@code checkpoints/LAST}, the
 * name of the newest one that counts. The driver makes a checkpoint count: it publishes the manifest, then LAST, each
 * after making sure that its attempt still owns the run.
 */
final class Checkpoints {
    static final String FOLDER = "checkpoints";
    static final String LAST = FOLDER + "/LAST";
    static final String MODEL = "model.safetensors";
    static final String OPTIMIZER = "optimizer.safetensors";
    static final String STATE = "state.json";

    private Checkpoints() {}

    /**
     * A checkpoint that counts.
     *
     * @param model its weights, as the manifest has them
     * @param optimizer its moments, as the manifest has them
     */
    record Reference(long step, WeightFile model, WeightFile optimizer) implements Serializable {}

    /**
     * The folder's name of a checkpoint after {@code step} updates. Whatever an older attempt still writes, or another
     * driver that took itself for the same attempt, has another name.
     *
     * @param owner tells the driver from others
     */
    static String name(long step, int attempt, String owner) {
        return String.format(Locale.ROOT, "step-%09d-a%d-%s", step, attempt, owner);
    }

    /** Makes a complete checkpoint count. Driver only. */
    static void publish(OutputClaim claim, String name, CheckpointManifest manifest) throws IOException {
        byte[] json = Json.pretty(manifest);
        claim.publish(FOLDER + "/" + name + "/" + CheckpointManifest.NAME, out -> out.write(json));
        claim.publish(LAST, out -> out.write((name + "\n").getBytes(StandardCharsets.UTF_8)));
    }

    /**
     * The newest checkpoint of a run that counts, if there is one. Driver only.
     *
     * @throws DataException if LAST names a checkpoint without a manifest, or another run's
     */
    static Optional<Reference> last(OutputClaim claim) throws IOException {
        Storage storage = claim.storage();
        String last = claim.path(LAST);
        if (!storage.exists(last)) {
            return Optional.empty();
        }
        String directory = claim.path(FOLDER + "/" + storage.readString(last).strip());
        CheckpointManifest manifest = manifest(storage, directory);
        if (!manifest.plan().equals(claim.plan().sha256())) {
            throw new DataException("Cannot resume from " + directory + ": it belongs to another run's plan");
        }
        return Optional.of(new Reference(
                manifest.step(), manifest.weights(MODEL, directory), manifest.weights(OPTIMIZER, directory)));
    }

    private static CheckpointManifest manifest(Storage storage, String directory) throws IOException {
        try {
            return storage.readJson(Storage.child(directory, CheckpointManifest.NAME), CheckpointManifest.class);
        } catch (FileNotFoundException e) {
            throw new DataException(
                    "Cannot resume from " + directory + ": " + LAST + " names it, but it has no "
                            + CheckpointManifest.NAME,
                    e);
        }
    }

    /**
     * Publishes the checkpoint's model as the run's result. Driver only.
     *
     * @throws DataException if it is not the file that the checkpoint's manifest lists
     */
    static Stored publishModel(OutputClaim claim, Reference checkpoint) throws IOException {
        return claim.publish(MODEL, out -> {
            try (InputStream in = claim.storage().open(checkpoint.model().path())) {
                in.transferTo(out);
            }
            if (!out.sha256().equals(checkpoint.model().sha256())) {
                throw new DataException("Cannot publish " + checkpoint.model().path()
                        + ": its checksum is not that of the checkpoint's manifest");
            }
        });
    }
}
