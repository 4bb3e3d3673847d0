package io.github.rarspark.common.run;

import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.kernel.error.DataException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The attempts at an output. Each has an object that is created exclusively: the first {@code _plan.json}, later ones
 * {@code _attempts/000002.json} and so on, so that only one of several drivers gets the number. The last of them owns
 * the output. {@code _plan.json} becomes a copy of the last one's object.
 *
 * <p>An object store may let two drivers create the same object; the later one wins. So a driver checks again after a
 * pause, and each time before it publishes.
 */
final class Attempts {
    static final String FOLDER = "_attempts";

    /** Longer than the usual time between checking for an object and having created it. */
    private static final Duration SETTLING = Duration.ofSeconds(3);

    private static final Pattern NAME = Pattern.compile("\\d{6}\\.json");

    private final Storage storage;
    private final String directory;
    private final Pace pace;

    Attempts(Storage storage, String directory, Pace pace) {
        this.storage = storage;
        this.directory = directory;
        this.pace = pace;
    }

    /**
     * The attempt that owns the output; empty if there was none.
     *
     * @throws DataException if its object is corrupt
     */
    Optional<PlanFile> current() throws IOException {
        List<String> later = storage.list(Storage.child(directory, FOLDER)).stream()
                .filter(name -> NAME.matcher(name).matches())
                .toList();
        String path = later.isEmpty()
                ? Storage.child(directory, PlanFile.NAME)
                : Storage.child(Storage.child(directory, FOLDER), later.get(later.size() - 1));
        PlanFile file;
        try {
            file = storage.readJson(path, PlanFile.class);
        } catch (FileNotFoundException e) {
            return Optional.empty();
        } catch (DataException e) {
            throw damaged(path, e);
        }
        if (file.plan() == null || !file.plan().sha256().equals(file.planSha256())) {
            throw damaged(path, null);
        }
        return Optional.of(file);
    }

    private static DataException damaged(String path, DataException cause) {
        return new DataException("Cannot read " + path + ": it is damaged; restore it or choose another output", cause);
    }

    /** Whether the attempt of {@code owner} owns the output. */
    boolean isCurrent(String owner) throws IOException {
        return current().filter(file -> file.owner().equals(owner)).isPresent();
    }

    /** Makes {@code file} the attempt that owns the output; returns false if another driver was faster. */
    boolean create(PlanFile file) throws IOException {
        String plan = Storage.child(directory, PlanFile.NAME);
        String path = file.attempt() == 1
                ? plan
                : Storage.child(
                        Storage.child(directory, FOLDER), String.format(Locale.ROOT, "%06d.json", file.attempt()));
        try {
            if (!storage.createJson(path, file)) {
                return false;
            }
        } catch (IOException | RuntimeException e) {
            // A faster driver removes the temporary files of others.
            if (current().isPresent() && current().get().attempt() >= file.attempt()) {
                return false;
            }
            throw e;
        }
        if (!storage.createsExclusively(path)) {
            pace.pause(SETTLING);
        }
        if (!isCurrent(file.owner())) {
            return false;
        }
        if (file.attempt() > 1) {
            storage.putJson(plan, file);
        }
        return true;
    }
}
