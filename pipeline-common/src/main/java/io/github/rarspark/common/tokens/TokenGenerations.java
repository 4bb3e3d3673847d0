package io.github.rarspark.common.tokens;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.rarspark.common.run.Generation;
import io.github.rarspark.common.run.Manifest;
import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.storage.Json;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.kernel.error.DataException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * The generations of a token output: a manifest of its own for each, which never changes, and {@code _manifest.json} of
 * all together, which is replaced in one piece.
 */
public final class TokenGenerations {
    private static final String KEY = "generations";

    private TokenGenerations() {}

    /** What only manifests of several generations have. */
    private record Listed(List<Generation> generations) {}

    /** The generations that an output's manifest lists; none if the output never grew. */
    static List<Generation> listed(Manifest.Content manifest) {
        List<Generation> listed = manifest.as(Listed.class).generations();
        return listed == null ? List.of() : List.copyOf(listed);
    }

    /**
     * The manifest of these generations together, read from the manifest of each.
     *
     * @throws DataException if one is corrupt, gone, or not the one that was listed
     */
    static TokenManifest together(Storage storage, String directory, List<Generation> generations) throws IOException {
        List<TokenManifest> manifests = new ArrayList<>();
        for (Generation generation : generations) {
            int number = generation.generation();
            Manifest.Content own = Manifest.openGeneration(storage, directory, number);
            if (!own.sha256().equals(generation.sha256())) {
                throw new DataException("Cannot read " + Storage.child(directory, generation.manifest())
                        + ": it is not the manifest that " + Manifest.NAME
                        + " lists; tokenize again into another output");
            }
            manifests.add(own.as(TokenManifest.class));
        }
        return TokenManifest.together(manifests);
    }

    /**
     * Publishes a generation: as the output's only one, or behind those that it has already.
     *
     * @param generation its number
     * @param manifest what it consists of
     */
    public static void publish(OutputClaim claim, int generation, TokenManifest manifest) throws IOException {
        if (generation == 0) {
            Manifest.publish(claim, manifest);
            return;
        }
        Manifest.publishGeneration(claim, generation, manifest);
        Storage storage = claim.storage();
        List<Generation> all = new ArrayList<>(listed(Manifest.open(storage, claim.directory())));
        for (int number = all.size(); number <= generation; number++) {
            all.add(read(storage, claim.directory(), number));
        }
        ObjectNode root = Json.convert(together(storage, claim.directory(), all), ObjectNode.class);
        root.set(KEY, Json.convert(all, ArrayNode.class));
        Manifest.publish(claim, root);
    }

    private static Generation read(Storage storage, String directory, int number) throws IOException {
        Manifest.Content content = Manifest.openGeneration(storage, directory, number);
        TokenManifest own = content.as(TokenManifest.class);
        return new Generation(
                number, Generation.manifestName(number), content.sha256(), own.planSha256(), own.images(), own.rows());
    }

    /** Copies the manifest of an output that is about to grow for the first time to that of its generation 0. */
    public static void keepFirst(OutputClaim claim) throws IOException {
        Storage storage = claim.storage();
        if (listed(Manifest.open(storage, claim.directory())).isEmpty()) {
            byte[] first = storage.readBytes(claim.path(Manifest.NAME));
            claim.publish(Generation.manifestName(0), out -> out.write(first));
        }
    }
}
