package io.github.rarspark.common.images;

import io.github.rarspark.common.storage.Storage;
import java.io.IOException;
import java.io.Serializable;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.EnumSet;
import java.util.Optional;

/**
 * What Hadoop's listing of a local folder leaves out without a word.
 *
 * @param links broken symbolic links
 * @param undecodable files and folders whose names Java cannot decode
 */
record Unlisted(LeftOutNames links, LeftOutNames undecodable) implements Serializable {
    static final Unlisted NONE = new Unlisted(LeftOutNames.NONE, LeftOutNames.NONE);

    Unlisted and(Unlisted other) {
        return new Unlisted(links.and(other.links), undecodable.and(other.undecodable));
    }

    /**
     * Looks for it.
     *
     * @param root what names are relative to
     * @param folder where to look; the root or below it
     * @param depth how many levels below the folder to look at
     */
    static Unlisted find(Storage storage, String root, String folder, int depth) throws IOException {
        Optional<Path> localRoot = storage.localPath(root);
        if (localRoot.isEmpty()) {
            return NONE;
        }
        Finder finder = new Finder(localRoot.get());
        Files.walkFileTree(
                storage.localPath(folder).orElseThrow(), EnumSet.of(FileVisitOption.FOLLOW_LINKS), depth, finder);
        return finder.found;
    }

    private static final class Finder extends SimpleFileVisitor<Path> {
        private final Path root;
        private Unlisted found = NONE;

        Finder(Path root) {
            this.root = root;
        }

        @Override
        public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
            return isDecodable(folder) ? FileVisitResult.CONTINUE : FileVisitResult.SKIP_SUBTREE;
        }

        @Override
        public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            // Of a link that leads somewhere these are the target's attributes.
            if (isDecodable(file) && attributes.isSymbolicLink()) {
                found = found.and(new Unlisted(LeftOutNames.of(name(file)), LeftOutNames.NONE));
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
                found = found.and(new Unlisted(LeftOutNames.NONE, LeftOutNames.of(name(path))));
            }
            return decodable;
        }

        private String name(Path path) {
            return root.relativize(path).toString();
        }
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
