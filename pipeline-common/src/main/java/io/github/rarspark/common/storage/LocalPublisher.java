package io.github.rarspark.common.storage;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Optional;
import java.util.UUID;
import org.apache.hadoop.fs.RawLocalFileSystem;

/**
 * Local files: a temporary file in the same directory, flushed to disk, and one rename; a hard link where an object must
 * not be replaced, because that fails if the name is taken. Hadoop's own streams are not used, as they throw an {@link
 * Error} when the disk is full.
 */
record LocalPublisher(RawLocalFileSystem fs) implements Publisher {
    @Override
    public Optional<Stored> publish(org.apache.hadoop.fs.Path target, ContentWriter writer, ExistingObject existing)
            throws IOException {
        Path file = fs.pathToFile(target).toPath();
        requireReplaceable(file, target.toString());
        Path directory = file.getParent();
        if (!Files.isDirectory(directory)) {
            try {
                Files.createDirectories(directory);
            } catch (NoSuchFileException e) {
                throw StorageFailures.noDirectory(target.toString(), e);
            }
        }
        Path temporary = directory.resolve(TEMPORARY_PREFIX + UUID.randomUUID());
        try {
            Stored stored;
            try (FileChannel channel =
                            FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
                    OutputStream stream = Channels.newOutputStream(channel)) {
                HashingStream out = new HashingStream(stream, target.toString());
                writer.write(out);
                channel.force(true);
                stored = out.stored();
            }
            return move(temporary, file, existing, target.toString()) ? Optional.of(stored) : Optional.empty();
        } catch (IOException | RuntimeException | Error e) {
            Publisher.cleanUp(e, () -> Files.deleteIfExists(temporary));
            throw e;
        }
    }

    /**
     * Fails if {@code file} is anything but a regular file: the rename would replace a device or a pipe, such as {@code
     * /dev/null}. Unlike {@link Files#isRegularFile}, also fails for a name that no file can have.
     */
    private static void requireReplaceable(Path file, String uri) throws IOException {
        BasicFileAttributes attributes;
        try {
            attributes = Files.readAttributes(file, BasicFileAttributes.class);
        } catch (NoSuchFileException e) {
            return;
        }
        if (attributes.isDirectory()) {
            throw StorageFailures.isDirectory(uri);
        }
        if (!attributes.isRegularFile()) {
            throw StorageFailures.isSpecial(uri);
        }
    }

    private static boolean move(Path temporary, Path file, ExistingObject existing, String uri) throws IOException {
        if (existing != ExistingObject.REPLACE) {
            if (link(temporary, file)) {
                // The next attempt may have removed it already.
                Files.deleteIfExists(temporary);
                return true;
            }
            if (Files.exists(file) && existing.stays(uri)) {
                Files.deleteIfExists(temporary);
                return false;
            }
        }
        Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
        return true;
    }

    /**
     * Whether {@code file} is now another name of {@code temporary}; false if it existed, or links are not supported.
     */
    private static boolean link(Path temporary, Path file) throws IOException {
        try {
            Files.createLink(file, temporary);
            return true;
        } catch (FileAlreadyExistsException | UnsupportedOperationException e) {
            return false;
        } catch (FileSystemException e) {
            // Some network and FUSE file systems have no hard links; for those, check and rename.
            if (StorageFailures.isUnsupported(e)) {
                return false;
            }
            throw e;
        }
    }
}
