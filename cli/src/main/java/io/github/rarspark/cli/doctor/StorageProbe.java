package io.github.rarspark.cli.doctor;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.storage.Storage;
import java.io.IOException;
import java.io.Serializable;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * Tries what jobs do with storage: writing, reading, listing, replacing, giving up and deleting.
 *
 * @param storage what to try
 * @param folder where; the caller deletes it
 * @param bytes of the object whose transfer is timed
 */
record StorageProbe(Storage storage, String folder, int bytes) implements Serializable {
    private static final String OBJECT = "object";
    private static final String GIVEN_UP = "given-up";

    /**
     * How fast it was.
     *
     * @param writeBytesPerSecond of one object
     * @param readBytesPerSecond of the same
     * @param exclusive whether of two writers that create an object only one succeeds
     */
    record Speed(double writeBytesPerSecond, double readBytesPerSecond, boolean exclusive) implements Serializable {}

    /**
     * Tries all in a folder of the process's own.
     *
     * @throws JobException if the storage does not do what it should
     */
    Speed run(String process) throws IOException {
        String own = Storage.child(folder, process.replace(' ', '-'));
        byte[] content = new byte[bytes];
        new Random(process.hashCode()).nextBytes(content);
        String object = Storage.child(own, OBJECT);

        long start = System.nanoTime();
        storage.putBytes(object, content);
        double written = bytes / seconds(start);
        start = System.nanoTime();
        require(Arrays.equals(content, storage.readBytes(object)), "an object reads back as other bytes", object);
        double read = bytes / seconds(start);

        requireListed(own, List.of(OBJECT), "a new object is not listed");
        storage.putBytes(object, new byte[1]);
        require(storage.length(object) == 1, "an object that was replaced has its old length", object);
        giveUp(own);
        boolean exclusive = createExclusively(own);
        storage.delete(object);
        require(!storage.exists(object), "an object that was deleted is still there", object);
        return new Speed(written, read, exclusive);
    }

    private void giveUp(String own) throws IOException {
        String object = Storage.child(own, GIVEN_UP);
        try {
            storage.put(object, out -> {
                out.write(new byte[1]);
                throw new GivenUp();
            });
        } catch (GivenUp e) {
            // As intended.
        }
        require(!storage.exists(object), "an object whose writer gave up is visible", object);
        requireListed(own, List.of(OBJECT), "an object whose writer gave up is listed");
        require(storage.temporaries(own).isEmpty(), "a writer that gave up leaves temporary files", own);
    }

    private boolean createExclusively(String own) throws IOException {
        String object = Storage.child(own, "created.json");
        require(storage.createJson(object, 1), "an object cannot be created", object);
        require(!storage.createJson(object, 2), "an object that exists is created again", object);
        storage.delete(object);
        return storage.createsExclusively(object);
    }

    private void requireListed(String own, List<String> names, String otherwise) throws IOException {
        require(storage.list(own).equals(names), otherwise, own);
    }

    private static void require(boolean holds, String otherwise, String path) {
        if (!holds) {
            throw new JobException(ExitCode.UNAVAILABLE, "Cannot rely on the storage of " + path + ": " + otherwise);
        }
    }

    private static double seconds(long start) {
        return Math.max(1, System.nanoTime() - start) / 1e9;
    }

    private static final class GivenUp extends IOException {
        private static final long serialVersionUID = 1;
    }
}
