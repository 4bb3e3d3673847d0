package io.github.rarspark.common.images;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.spark.UnitTasks;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.storage.StoredFile;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * All files in a folder and below it, or a single file. The folders directly in it are listed in tasks, so that a driver
 * neither waits for millions of files nor holds them. Hidden files, whose names begin with a dot, are left out.
 *
 * @param given its path as the user gave it, for messages
 * @param path the same as a full URI
 * @param loose the files directly in it, or the file itself
 * @param folders the names of the folders directly in it
 * @param below the files in these folders, sorted by name
 * @param unlisted what Hadoop left out
 */
record ListedFolder(
        String given,
        String path,
        List<StoredFile> loose,
        List<String> folders,
        InputListing below,
        Unlisted unlisted) {
    static ListedFolder of(ListingTasks tasks, Storage storage, String given) throws IOException {
        String path = storage.qualify(given);
        // As if "/" ended each name, which is the order of the names of the files in the folders.
        List<String> folders = storage.directories(path).stream()
                .sorted(Comparator.comparing(name -> name + "/"))
                .toList();
        List<Listed> parts = tasks.map("list " + path, folders, new ListTask(storage, path));
        Unlisted unlisted = storage.isDirectory(path) ? Unlisted.find(storage, path, path, 1) : Unlisted.NONE;
        for (Listed part : parts) {
            unlisted = unlisted.and(part.unlisted());
        }
        return new ListedFolder(
                given,
                path,
                storage.files(path),
                folders,
                InputListing.concat(parts.stream().map(Listed::files).toList()),
                unlisted);
    }

    /** The files with names that {@code wanted} accepts, sorted by name; for files that are few. */
    List<StoredFile> files(Predicate<String> wanted) {
        Stream<StoredFile> files = below.stream()
                .filter(file -> wanted.test(file.name()))
                .map(file ->
                        new StoredFile(Storage.child(path, file.name()), file.name(), file.bytes(), file.modified()));
        return Stream.concat(loose.stream().filter(file -> wanted.test(file.name())), files)
                .sorted(Comparator.comparing(StoredFile::name))
                .toList();
    }

    private record Listed(InputListing files, Unlisted unlisted) implements Serializable {}

    private record ListTask(Storage storage, String path) implements UnitTasks.Work<ArrayList<String>, Listed> {
        @Override
        public Listed run(ArrayList<String> folders) throws IOException {
            InputListing.Builder files = new InputListing.Builder();
            Unlisted unlisted = Unlisted.NONE;
            for (String name : folders) {
                UnitTasks.endIfKilled();
                String folder = Storage.child(path, name);
                if (!storage.isDirectory(folder)) {
                    throw new JobException(
                            ExitCode.NO_INPUT,
                            "Cannot list " + folder + ": it is not there for the task that lists it; put the images"
                                    + " where all executors see them, and leave them while they are listed");
                }
                for (StoredFile file : storage.walk(folder)) {
                    files.add(new InputListing.File(name + "/" + file.name(), file.bytes(), file.modified()));
                }
                unlisted = unlisted.and(Unlisted.find(storage, path, folder, Integer.MAX_VALUE));
            }
            return new Listed(files.build(), unlisted);
        }
    }
}
