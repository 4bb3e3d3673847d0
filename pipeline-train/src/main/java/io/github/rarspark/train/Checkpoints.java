package io.github.rarspark.train;

import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.storage.Json;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.storage.Stored;
import io.github.rarspark.kernel.error.DataException;
import java.io.IOException;
import java.io.InputStream;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;

/**
 * The checkpoints of a run: {@code checkpoints/step-000000100-a1/}, written by rank 0, and {@code checkpoints/LAST}, the
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
     * @param directory its URI
     */
    record Reference(String directory, long step, String modelSha256, String optimizerSha256) implements Serializable {
        String model() {
            return Storage.child(directory, MODEL);
        }

        String optimizer() {
            return Storage.child(directory, OPTIMIZER);
        }
    }

    /** The folder's name of a checkpoint after {@code step} updates. */
    static String name(long step, int attempt) {
        return String.format(Locale.ROOT, "step-%09d-a%d", step, attempt);
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
     * @throws DataException if LAST names a checkpoint that is incomplete or another run's
     */
    static Optional<Reference> last(OutputClaim claim) throws IOException {
        Storage storage = claim.storage();
        String last = claim.path(LAST);
        if (!storage.exists(last)) {
            return Optional.empty();
        }
        String directory = claim.path(FOLDER + "/" + storage.readString(last).strip());
        CheckpointManifest manifest =
                storage.readJson(Storage.child(directory, CheckpointManifest.NAME), CheckpointManifest.class);
        if (!manifest.plan().equals(claim.plan().sha256())) {
            throw new DataException("Cannot resume from " + directory + ": it belongs to another run's plan");
        }
        return Optional.of(new Reference(
                directory,
                manifest.step(),
                manifest.file(MODEL).sha256(),
                manifest.file(OPTIMIZER).sha256()));
    }

    /** Publishes the checkpoint's model as the run's result. Driver only. */
    static Stored publishModel(OutputClaim claim, Reference checkpoint) throws IOException {
        return claim.publish(MODEL, out -> {
            try (InputStream in = claim.storage().open(checkpoint.model())) {
                in.transferTo(out);
            }
        });
    }
}
