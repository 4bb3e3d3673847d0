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

    /**
     * Reads the manifest of the output at {@code directory}.
     *
     * @throws JobException {@link ExitCode#NO_INPUT} if there is none
     * @throws DataException if it is corrupt
     */
    public static <T> T read(Storage storage, String directory, Class<T> type) throws IOException {
        return Json.convert(tree(storage, directory), type);
    }

    /** The hash of the output at {@code directory}, which identifies its content; throws what {@link #read} throws. */
    public static String sha256(Storage storage, String directory) throws IOException {
        return hash(tree(storage, directory));
    }

    private static ObjectNode tree(Storage storage, String directory) throws IOException {
        String path = Storage.child(directory, NAME);
        ObjectNode tree;
        try {
            tree = storage.readJson(path, ObjectNode.class);
        } catch (FileNotFoundException e) {
            throw new JobException(
                    ExitCode.NO_INPUT,
                    "Cannot read " + directory + ": it has no " + NAME
                            + (storage.exists(Storage.child(directory, PlanFile.NAME))
                                    ? "; let the job that writes it finish"
                                    : ", so it is not an output of rar-spark; give one"),
                    e);
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
