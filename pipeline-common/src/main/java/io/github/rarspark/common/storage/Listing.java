package io.github.rarspark.common.storage;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocatedFileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.fs.RemoteIterator;

/** What a directory holds. One that does not exist holds nothing. */
final class Listing {
    private Listing() {}

    /** The names directly in {@code directory} that are wanted and not hidden, sorted. */
    static List<String> names(FileSystem fs, Path directory, Predicate<FileStatus> wanted) throws IOException {
        return in(fs, directory)
                .filter(wanted)
                .map(status -> status.getPath().getName())
                .filter(name -> !name.startsWith("."))
                .sorted()
                .toList();
    }

    /** The files directly in {@code directory} that are not hidden, sorted by name. */
    static List<StoredFile> files(FileSystem fs, Path directory) throws IOException {
        Path root = fs.makeQualified(directory);
        return stored(root, in(fs, root).filter(FileStatus::isFile));
    }

    /** The files below {@code directory} that are not hidden, sorted by name; the file itself if it is one. */
    static List<StoredFile> walk(FileSystem fs, Path directory) throws IOException {
        Path root = fs.makeQualified(directory);
        return stored(root, below(fs, root).stream());
    }

    /** All files below {@code root}, in no order. */
    static List<FileStatus> below(FileSystem fs, Path root) throws IOException {
        List<FileStatus> files = new ArrayList<>();
        try {
            if (fs instanceof RawLocalFileSystem) {
                // Hadoop's recursive listing starts a process per local file, and fails if a file disappears meanwhile.
                for (FileStatus status : fs.listStatus(root)) {
                    if (status.isDirectory()) {
                        files.addAll(below(fs, status.getPath()));
                    } else {
                        files.add(status);
                    }
                }
            } else {
                RemoteIterator<LocatedFileStatus> all = fs.listFiles(root, true);
                while (all.hasNext()) {
                    files.add(all.next());
                }
            }
        } catch (FileNotFoundException e) {
            return files;
        }
        return files;
    }

    private static Stream<FileStatus> in(FileSystem fs, Path directory) throws IOException {
        try {
            return Stream.of(fs.listStatus(directory));
        } catch (FileNotFoundException e) {
            return Stream.empty();
        }
    }

    private static List<StoredFile> stored(Path root, Stream<FileStatus> files) {
        return files.map(status -> {
                    Path path = status.getPath();
                    String name = path.equals(root) ? path.getName() : relative(root, path);
                    return new StoredFile(path.toString(), name, status.getLen(), status.getModificationTime());
                })
                .filter(file -> !file.name().startsWith(".") && !file.name().contains("/."))
                .sorted(Comparator.comparing(StoredFile::name))
                .toList();
    }

    private static String relative(Path root, Path path) {
        String base = root.toUri().getPath();
        return path.toUri().getPath().substring(base.endsWith("/") ? base.length() : base.length() + 1);
    }
}
