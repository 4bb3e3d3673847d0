package io.github.rarspark.common.images;

import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.storage.StoredFile;
import java.io.IOException;
import java.net.URI;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.List;

/** What an image folder contains besides the images of classes, in lines for the user. Hidden files are ignored. */
final class LeftOut {
    private LeftOut() {}

    /**
     * What is left out of a folder of class folders.
     *
     * @param all every file that was listed
     * @param classNames the folders that hold files
     */
    static List<String> of(Storage storage, String directory, List<StoredFile> all, Collection<String> classNames)
            throws IOException {
        List<String> warnings = new ArrayList<>();
        List<String> loose = all.stream()
                .map(StoredFile::name)
                .filter(name -> name.indexOf('/') < 0 && !isMarker(name))
                .toList();
        add(
                warnings,
                loose,
                "left out, because it is not in a class folder",
                "left out, because they are not in a class folder");
        List<String> empty = storage.directories(directory).stream()
                .filter(name -> !classNames.contains(name))
                .toList();
        add(
                warnings,
                empty,
                "not a class, because the folder has no images",
                "not classes, because the folders have no images");
        add(
                warnings,
                danglingLinks(storage, directory),
                "left out, because the link is broken",
                "left out, because the links are broken");
        return List.copyOf(warnings);
    }

    /** What is left out of a folder that is read as Parquet. */
    static List<String> besideParquet(List<StoredFile> all) {
        List<String> warnings = new ArrayList<>();
        List<String> others = all.stream()
                .map(StoredFile::name)
                .filter(name -> !ImageParquet.isParquet(name) && !isMarker(name))
                .toList();
        add(
                warnings,
                others,
                "left out, because a folder with Parquet files is read as Parquet alone",
                "left out, because a folder with Parquet files is read as Parquet alone");
        return List.copyOf(warnings);
    }

    /** Whether a program left the file for itself, such as Spark its {@code _SUCCESS}. */
    private static boolean isMarker(String name) {
        return name.startsWith("_", name.lastIndexOf('/') + 1);
    }

    private static void add(List<String> warnings, List<String> names, String one, String several) {
        if (names.size() == 1) {
            warnings.add(names.get(0) + " is " + one);
        } else if (names.size() > 1) {
            warnings.add(names.get(0) + " and " + (names.size() - 1) + " more are " + several);
        }
    }

    /** Broken symbolic links, by name; only local file systems have any. */
    private static List<String> danglingLinks(Storage storage, String directory) throws IOException {
        URI uri = new org.apache.hadoop.fs.Path(storage.qualify(directory)).toUri();
        if (!"file".equals(uri.getScheme())) {
            return List.of();
        }
        Path root = Path.of(uri.getPath());
        List<String> links = new ArrayList<>();
        Files.walkFileTree(
                root, EnumSet.of(FileVisitOption.FOLLOW_LINKS), Integer.MAX_VALUE, new SimpleFileVisitor<>() {
                    @Override
                    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                        // Of a link that leads somewhere these are the target's attributes.
                        if (attributes.isSymbolicLink()) {
                            links.add(root.relativize(file).toString());
                        }
                        return FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult visitFileFailed(Path file, IOException failure) {
                        return FileVisitResult.CONTINUE;
                    }
                });
        links.sort(Comparator.naturalOrder());
        return links;
    }
}
