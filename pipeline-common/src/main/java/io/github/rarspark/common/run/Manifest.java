package io.github.rarspark.common.run;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.storage.Json;
import io.github.rarspark.common.storage.Sha256;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.storage.Stored;
import io.github.rarspark.kernel.error.DataException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/**
 * {@code _manifest.json}: what an output holds. It is written after all data objects, and readers trust only it. Its
 * key {@code sha256} is the hash of the rest, as one line of JSON with the keys in the order of the file.
 */
public final class Manifest {
    /** The object's name in the output. */
    public static final String NAME = "_manifest.json";

    private static final String HASH = "sha256";

    private Manifest() {}

    /**
     * Publishes the manifest of {@code claim}'s output.
     *
     * @param body a record or a map; it has no key {@code sha256} of its own at the top
     */
    public static Stored publish(OutputClaim claim, Object body) throws IOException {
        return publish(claim, NAME, body);
    }

    /**
     * Publishes the manifest of one generation, which readers ignore until the output's own lists it.
     *
     * @param body as for the output's own manifest
     */
    public static void publishGeneration(OutputClaim claim, int generation, Object body) throws IOException {
        publish(claim, Generation.manifestName(generation), body);
    }

    /**
     * Publishes the manifest of a folder of {@code claim}'s output, which is read like an output of its own.
     *
     * @param folder its name
     * @param body as for the output's own manifest
     */
    public static Stored publishFolder(OutputClaim claim, String folder, Object body) throws IOException {
        return publish(claim, folder + "/" + NAME, body);
    }

    private static Stored publish(OutputClaim claim, String name, Object body) throws IOException {
        // Serialized and parsed once, so that numbers are hashed as a reader prints them.
        ObjectNode tree = Json.read(Json.pretty(body), ObjectNode.class, NAME);
        if (tree.has(HASH)) {
            throw new IllegalArgumentException("A manifest's body has no key " + HASH + " of its own");
        }
        tree.put(HASH, hash(tree));
        return claim.publish(name, out -> out.write(Json.pretty(tree)));
    }

    /** What one read of a manifest gave; it may be replaced meanwhile. */
    public static final class Content {
        private final ObjectNode tree;

        private Content(ObjectNode tree) {
            this.tree = tree;
        }

        /** The body. */
        public <T> T as(Class<T> type) {
            return Json.convert(tree, type);
        }

        /** The hash of the body. */
        public String sha256() {
            return hash(tree);
        }
    }

    /**
     * Reads the manifest of the output at {@code directory}.
     *
     * @throws JobException {@link ExitCode#NO_INPUT} if there is none
     * @throws DataException if it is corrupt
     */
    public static Content open(Storage storage, String directory) throws IOException {
        return new Content(tree(storage, directory));
    }

    /**
     * Reads the manifest of one generation, which need not be listed yet.
     *
     * @throws DataException if it is corrupt or there is none
     */
    public static Content openGeneration(Storage storage, String directory, int generation) throws IOException {
        String name = Generation.manifestName(generation);
        try {
            return new Content(tree(storage, directory, name));
        } catch (FileNotFoundException e) {
            throw new DataException(
                    "Cannot read " + directory + ": its " + name + " is gone; write the output again", e);
        }
    }

    /** The body of the manifest of the output at {@code directory}; throws what {@link #open} throws. */
    public static <T> T read(Storage storage, String directory, Class<T> type) throws IOException {
        return open(storage, directory).as(type);
    }

    /** The hash of the output at {@code directory}, which identifies its content; throws what {@link #open} throws. */
    public static String sha256(Storage storage, String directory) throws IOException {
        return open(storage, directory).sha256();
    }

    private static ObjectNode tree(Storage storage, String directory) throws IOException {
        try {
            return tree(storage, directory, NAME);
        } catch (FileNotFoundException e) {
            throw new JobException(
                    ExitCode.NO_INPUT,
                    "Cannot read " + directory + ": it has no " + NAME
                            + (storage.exists(Storage.child(directory, PlanFile.NAME))
                                    ? "; let the job that writes it finish"
                                    : ", so it is not an output of rar-spark; give one"),
                    e);
        }
    }

    private static ObjectNode tree(Storage storage, String directory, String name) throws IOException {
        String path = Storage.child(directory, name);
        ObjectNode tree;
        try {
            tree = storage.readJson(path, ObjectNode.class);
        } catch (DataException e) {
            throw new DataException("Cannot read " + path + ": it is damaged; write the output again", e);
        }
        String expected = tree.path(HASH).asText();
        tree.remove(HASH);
        if (!hash(tree).equals(expected)) {
            throw new DataException("Cannot read " + path + ": its checksum does not match; write the output again");
        }
        return tree;
    }

    private static String hash(ObjectNode tree) {
        return Sha256.of(Json.line(tree).getBytes(StandardCharsets.UTF_8));
    }
}
