package io.github.rarspark.common.run;

import io.github.rarspark.common.storage.Sha256;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * A generation of an output that has grown, as its {@code _manifest.json} lists it under {@code generations}.
 *
 * @param generation its number, 0 for the first run
 * @param manifest the name of its own manifest
 * @param sha256 the hash of that manifest
 * @param planSha256 the hash of the plan that it was made by
 * @param images how many images it has
 * @param rows how many rows its shards have
 */
public record Generation(int generation, String manifest, String sha256, String planSha256, long images, long rows)
        implements Serializable {
    /** The name of a generation's own manifest. */
    public static String manifestName(int generation) {
        return String.format(Locale.ROOT, "_manifest-%03d.json", generation);
    }

    /**
     * Identifies the content of the generations with these manifests, one after the other. Of a single one it is the
     * manifest's hash, as of an output that never grew.
     */
    public static String identity(List<String> manifests) {
        return manifests.size() == 1
                ? manifests.get(0)
                : Sha256.of(manifests.stream()
                        .map(sha256 -> sha256 + "\n")
                        .collect(Collectors.joining())
                        .getBytes(StandardCharsets.UTF_8));
    }
}
