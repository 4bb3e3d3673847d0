package io.github.rarspark.common.tokens;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;

/**
 * A private folder on a local disk that threads and processes of one user share. Each of them holds a lock while it uses
 * the folder, so one that nobody uses can be told from others and removed; the system releases the locks of a process that
 * dies. A file in the folder has a byte for the one that works alone, and further bytes, one for each user. (When a thread
 * closes the folder, the system releases the locks of its whole process. If the folder is then removed, other threads of
 * the process keep what they have mapped, and build it again when they next need it.)
 */
final class SharedFolder implements AutoCloseable {
    /**
     * Held by whoever changes what Java knows of the process's file locks: it loses locks when threads close channels of
     * one file at the same time.
     */
    private static final Object FILE_LOCKS = new Object();

    private static final String LOCK = "lock";
    private static final long ALONE = 0;
    private static final long POLL_MILLIS = 50;
    private static final Set<PosixFilePermission> FOLDER_MODE = PosixFilePermissions.fromString("rwx------");
    private static final Set<PosixFilePermission> FILE_MODE = PosixFilePermissions.fromString("rw-------");

    private final Path path;
    private final FileChannel channel;
    /** Kept because Java forgets a lock that is collected. */
    private final FileLock own;

    private SharedFolder(Path path, FileChannel channel, FileLock own) {
        this.path = path;
        this.channel = channel;
        this.own = own;
    }

    /** Work that nobody else does at the same time. */
    @FunctionalInterface
    interface Work {
        /** Works. */
        void run() throws IOException, InterruptedException;
    }

    /**
     * Uses a folder until it is closed; creates it if it does not exist.
     *
     * @param path in a directory that exists
     * @param limit how long to wait for its removal by another process
     * @throws JobException {@link ExitCode#UNAVAILABLE} if others may access it, {@link ExitCode#TEMPORARY} after
     *     {@code limit}
     */
    static SharedFolder use(Path path, Duration limit) throws IOException, InterruptedException {
        long start = System.nanoTime();
        while (true) {
            createFolder(path);
            try {
                FileChannel channel = openLock(path, Set.of(StandardOpenOption.CREATE));
                try {
                    long position = ThreadLocalRandom.current().nextLong(ALONE + 1, Long.MAX_VALUE);
                    FileLock own = acquire(path, channel, position, start, limit);
                    if (channel.size() == 0) {
                        return new SharedFolder(path, channel, own);
                    }
                } catch (IOException | InterruptedException | RuntimeException e) {
                    close(channel);
                    throw e;
                }
                close(channel);
                // It was removed meanwhile, or its removal was cut short.
                removeUnused(path);
                requireTime(path, start, limit);
                Thread.sleep(POLL_MILLIS);
            } catch (NoSuchFileException e) {
                requireTime(path, start, limit); // The same.
            }
        }
    }

    /** A path in the folder. */
    Path resolve(String name) {
        return path.resolve(name);
    }

    /** Creates a file to write, which must not exist yet. */
    FileChannel create(Path file) throws IOException {
        return FileChannel.open(
                file,
                Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                PosixFilePermissions.asFileAttribute(FILE_MODE));
    }

    /** Removes the files whose names begin with {@code prefix}. */
    void removeFiles(String prefix) throws IOException {
        for (Path file : files(path)) {
            if (file.getFileName().toString().startsWith(prefix)) {
                Files.deleteIfExists(file);
            }
        }
    }

    /**
     * Works when no other thread or process works alone in this folder.
     *
     * @param limit how long to wait for another's work
     * @throws JobException {@link ExitCode#TEMPORARY} after {@code limit}
     */
    void alone(Duration limit, Work work) throws IOException, InterruptedException {
        FileLock held = acquire(path, channel, ALONE, System.nanoTime(), limit);
        try {
            work.run();
        } finally {
            synchronized (FILE_LOCKS) {
                held.release();
            }
        }
    }

    /** Stops using the folder. */
    @Override
    public void close() throws IOException {
        synchronized (FILE_LOCKS) {
            own.release();
            channel.close();
        }
    }

    private static void close(FileChannel channel) throws IOException {
        synchronized (FILE_LOCKS) {
            channel.close();
        }
    }

    /** Removes a folder with all that is in it, unless somebody uses it or it belongs to another user. */
    static void removeUnused(Path path) throws IOException {
        if (!isPrivate(path)) {
            return;
        }
        synchronized (FILE_LOCKS) {
            try (FileChannel channel = openLock(path, Set.of())) {
                FileLock all = tryLock(channel, 0, Long.MAX_VALUE);
                // If the file here has been written to, a removal was cut short: whoever removes holds the lock.
                if (all != null && (channel.size() == 0 || Files.size(path.resolve(LOCK)) > 0)) {
                    // Tells those that have opened it meanwhile that it is not the folder's any more.
                    channel.write(ByteBuffer.allocate(1));
                    remove(path);
                }
            } catch (NoSuchFileException e) {
                deleteIfEmpty(path); // Its removal was cut short; or it was just created, and its user tries again.
            }
        }
    }

    /** Removes a folder with all that is in it. Who has mapped a file of it keeps that. */
    static void remove(Path path) throws IOException {
        Path last = path.resolve(LOCK);
        for (Path file : files(path)) {
            if (!file.equals(last)) {
                Files.deleteIfExists(file);
            }
        }
        Files.deleteIfExists(last);
        deleteIfEmpty(path);
    }

    private static List<Path> files(Path path) throws IOException {
        try (Stream<Path> listed = Files.list(path)) {
            return listed.toList();
        } catch (NoSuchFileException e) {
            return List.of(); // The folder was removed meanwhile.
        }
    }

    private static void deleteIfEmpty(Path path) throws IOException {
        try {
            Files.deleteIfExists(path);
        } catch (DirectoryNotEmptyException e) {
            return; // Somebody has begun to use it again.
        }
    }

    private static void createFolder(Path path) throws IOException {
        try {
            Files.createDirectory(path, PosixFilePermissions.asFileAttribute(FOLDER_MODE));
        } catch (FileAlreadyExistsException e) {
            if (!isPrivate(path)) {
                throw new JobException(
                        ExitCode.UNAVAILABLE,
                        "Cannot use " + path + ": others than its owner may access it; remove it, or set"
                                + " spark.local.dir to another place",
                        e);
            }
        }
    }

    /** Whether this is a folder that only its owner can access; that is this user, if files in it can be opened. */
    private static boolean isPrivate(Path path) throws IOException {
        try {
            PosixFileAttributes attributes =
                    Files.readAttributes(path, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
            return attributes.isDirectory() && attributes.permissions().equals(FOLDER_MODE);
        } catch (NoSuchFileException e) {
            return true; // It was removed just now.
        }
    }

    private static FileChannel openLock(Path path, Set<StandardOpenOption> more) throws IOException {
        Set<OpenOption> options = new HashSet<>(more);
        options.add(StandardOpenOption.WRITE);
        options.add(LinkOption.NOFOLLOW_LINKS);
        return FileChannel.open(path.resolve(LOCK), options, PosixFilePermissions.asFileAttribute(FILE_MODE));
    }

    private static FileLock acquire(Path path, FileChannel channel, long position, long start, Duration limit)
            throws IOException, InterruptedException {
        while (true) {
            FileLock acquired = tryLock(channel, position, 1);
            if (acquired != null) {
                return acquired;
            }
            requireTime(path, start, limit);
            Thread.sleep(POLL_MILLIS);
        }
    }

    /** Locks bytes of the file; null if another thread or process has a lock on one of them. */
    private static FileLock tryLock(FileChannel channel, long position, long bytes) throws IOException {
        try {
            synchronized (FILE_LOCKS) {
                return channel.tryLock(position, bytes, false);
            }
        } catch (OverlappingFileLockException e) {
            return null; // Another thread of this process.
        }
    }

    private static void requireTime(Path path, long start, Duration limit) {
        if (System.nanoTime() - start > limit.toNanos()) {
            throw new JobException(
                    ExitCode.TEMPORARY,
                    "Cannot open the token store in " + path + ": another process has held its lock for "
                            + limit.toSeconds() + " s (train.timeout_seconds); run again, with more seconds if it was"
                            + " still reading the tokens");
        }
    }
}
