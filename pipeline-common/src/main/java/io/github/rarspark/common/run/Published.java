package io.github.rarspark.common.run;

import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.kernel.error.DataException;
import java.io.IOException;
import java.util.List;

/**
 * What {@code _manifest.json} of an output has published.
 *
 * @param generations how many generations; 0 without a manifest, 1 of an output that never grew
 * @param sha256 {@linkplain Generation#identity identifies} their content; empty without a manifest
 * @param planSha256 the hash of the plan that made the last generation; empty without a manifest
 */
public record Published(int generations, String sha256, String planSha256) {
    /** The name of the input, in the plan of a generation, whose value is the {@code sha256} of what was there before. */
    public static final String INPUT = "generations";

    private static final Published NOTHING = new Published(0, "", "");

    private record Body(String planSha256, List<Generation> generations) {}

    /**
     * What the output at {@code directory} has published.
     *
     * @throws DataException if its manifest is corrupt
     */
    public static Published of(Storage storage, String directory) throws IOException {
        if (!storage.exists(Storage.child(directory, Manifest.NAME))) {
            return NOTHING;
        }
        Manifest.Content manifest = Manifest.open(storage, directory);
        Body body = manifest.as(Body.class);
        return body.generations() == null
                ? new Published(1, manifest.sha256(), body.planSha256())
                : new Published(
                        body.generations().size(),
                        Generation.identity(body.generations().stream()
                                .map(Generation::sha256)
                                .toList()),
                        body.planSha256());
    }

    /** Whether a plan continues exactly this. */
    boolean isBaseOf(Plan plan) {
        return plan.inputs().getOrDefault(INPUT, "").equals(sha256);
    }
}
