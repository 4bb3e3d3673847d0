package io.github.rarspark.common.images;

import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.storage.StoredFile;
import java.io.IOException;
import java.net.URI;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
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
        List<String> links = new ArrayList<>();
        List<String> undecodable = new ArrayList<>();
        findUnlisted(storage, directory, links, undecodable);
        add(warnings, links, "left out, because the link is broken", "left out, because the links are broken");
        String encoding = " not text in this process's encoding of file names, "
                + System.getProperty("sun.jnu.encoding") + "; rename or set LC_ALL";
        add(
                warnings,
                undecodable,
                "left out, because its name is" + encoding,
                "left out, because their names are" + encoding);
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

    /**
     * Finds what Hadoop's listing of a local folder leaves out without a word: broken symbolic links, and files and
     * folders whose names Java cannot decode.
     */
    private static void findUnlisted(Storage storage, String directory, List<String> links, List<String> undecodable)
            throws IOException {
        URI uri = new org.apache.hadoop.fs.Path(storage.qualify(directory)).toUri();
        if (!"file".equals(uri.getScheme())) {
            return;
        }
        Path root = Path.of(uri.getPath());
        Files.walkFileTree(
                root, EnumSet.of(FileVisitOption.FOLLOW_LINKS), Integer.MAX_VALUE, new SimpleFileVisitor<>() {
                    @Override
                    public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
                        return isDecodable(folder) ? FileVisitResult.CONTINUE : FileVisitResult.SKIP_SUBTREE;
                    }

                    @Override
                    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                        // Of a link that leads somewhere these are the target's attributes.
                        if (isDecodable(file) && attributes.isSymbolicLink()) {
                            links.add(root.relativize(file).toString());
                        }
                        return FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult visitFileFailed(Path file, IOException failure) {
                        return FileVisitResult.CONTINUE;
                    }

                    private boolean isDecodable(Path path) {
                        boolean decodable = decodes(path);
                        if (!decodable) {
                            undecodable.add(root.relativize(path).toString());
                        }
                        return decodable;
                    }
                });
        links.sort(Comparator.naturalOrder());
        undecodable.sort(Comparator.naturalOrder());
    }

    /** Whether the bytes of a name come through their conversion to text and back. */
    private static boolean decodes(Path path) {
        try {
            return path.equals(Path.of(path.toString()));
        } catch (InvalidPathException e) {
            return false;
        }
    }
}
