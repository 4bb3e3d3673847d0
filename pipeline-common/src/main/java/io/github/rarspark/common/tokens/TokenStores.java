package io.github.rarspark.common.tokens;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.spark.EventLog;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.spark.SparkConf;
import org.apache.spark.util.Utils;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The token stores of a run on this machine, in one of Spark's local directories. The first task that needs a store builds
 * it; the other tasks and processes that see the same directory wait for it and share it, and so do those of a later stage
 * of the run.
 *
 * <p>Clusters delete their local directories when an application ends. What a run without a cluster leaves behind when it
 * is killed, the next run on this machine removes.
 */
public final class TokenStores {
    private static final Logger LOG = LoggerFactory.getLogger(TokenStores.class);

    private static final String PREFIX = "rar-tokens-";
    private static final int MAPPING_BYTES = 1 << 30;
    private static final double GIGABYTE = 1e9;

    private final List<Path> directories;
    private final String name;
    private final int mappingBytes;

    /**
     * The stores of a run in directories of this machine.
     *
     * @param directories the first that has the run's stores or room for them is used
     * @param run identifies the run
     * @param mappingBytes the length of a mapping at most, unless a row is longer
     */
    TokenStores(List<Path> directories, String run, int mappingBytes) {
        this.directories = List.copyOf(directories);
        this.name = PREFIX + run;
        this.mappingBytes = mappingBytes;
    }

    /** The stores of {@code run} in Spark's local directories, as this process has them configured. */
    public static TokenStores of(SparkConf conf, String run) {
        return new TokenStores(localDirectories(conf), run, MAPPING_BYTES);
    }

    /** The directories that executors share; Spark's public API knows only the ones below, which each has alone. */
    private static List<Path> localDirectories(SparkConf conf) {
        return Stream.of(Utils.getConfiguredLocalDirs(conf)).map(Path::of).toList();
    }

    /**
     * Opens the store of {@code source}; builds it if there is none that is intact.
     *
     * @param limit how long to wait for another task that builds it
     * @throws JobException {@link ExitCode#UNAVAILABLE} if no directory has room for it or it cannot be written, {@link
     *     ExitCode#TEMPORARY} after {@code limit}
     * @throws io.github.rarspark.kernel.error.DataException if the source is corrupt
     */
    public TokenStore open(TokenSource source, Duration limit) throws IOException, InterruptedException {
        SharedFolder folder = use(directory(source).resolve(name), limit);
        try {
            return open(new StoreFile(folder, source), folder, limit);
        } catch (IOException | InterruptedException | RuntimeException | Error e) {
            folder.close();
            throw e;
        }
    }

    private TokenStore open(StoreFile file, SharedFolder folder, Duration limit)
            throws IOException, InterruptedException {
        boolean[] built = new boolean[1];
        while (true) {
            Optional<Object> found = file.identity();
            Optional<TokenStore> store = file.open(mappingBytes);
            if (store.isPresent()) {
                return store.get();
            }
            if (built[0]) {
                throw new JobException(
                        ExitCode.UNAVAILABLE,
                        "Cannot use the token store " + file.path() + ": it is corrupt just after it was written; set"
                                + " spark.local.dir to another disk");
            }
            folder.alone(limit, () -> {
                // Else another has built it since.
                if (file.identity().equals(found)) {
                    build(file);
                    built[0] = true;
                }
            });
        }
    }

    private static void build(StoreFile file) throws IOException {
        long start = System.nanoTime();
        file.write();
        EventLog.log(
                "token_store_built",
                Map.of(
                        "path", file.path().toString(),
                        "bytes", Files.size(file.path()),
                        "seconds", (System.nanoTime() - start) / 1e9));
    }

    private static SharedFolder use(Path path, Duration limit) throws IOException, InterruptedException {
        try {
            return SharedFolder.use(path, limit);
        } catch (ClosedByInterruptException e) {
            throw e;
        } catch (IOException e) {
            throw new JobException(
                    ExitCode.UNAVAILABLE,
                    "Cannot create or lock the token store's folder " + path + ": " + e
                            + "; set spark.local.dir to a directory on a local disk that can be written",
                    e);
        }
    }

    /** The length of a store of {@code source}, on the disk and, as far as there is memory, in the page cache. */
    public static long bytes(TokenSource source) {
        return StoreFile.bytes(source);
    }

    /**
     * Checks that one of Spark's local directories on this machine has room for a store of {@code source}.
     *
     * @throws JobException {@link ExitCode#UNAVAILABLE} if none has
     */
    public static void requireRoom(SparkConf conf, TokenSource source) throws IOException {
        directoryWithRoom(localDirectories(conf), StoreFile.bytes(source));
    }

    /** Removes the run's stores from this machine. Tasks that still use one keep what they have mapped. */
    public void remove() {
        for (Path directory : directories) {
            try {
                SharedFolder.remove(directory.resolve(name));
            } catch (IOException e) {
                LOG.warn(
                        "Cannot remove {}, which the run does not need any more; remove it",
                        directory.resolve(name),
                        e);
            }
        }
    }

    private Path directory(TokenSource source) throws IOException {
        for (Path directory : directories) {
            if (Files.isDirectory(directory.resolve(name))) {
                return directory;
            }
        }
        return directoryWithRoom(directories, StoreFile.bytes(source));
    }

    private static Path directoryWithRoom(List<Path> directories, long bytes) throws IOException {
        List<String> full = new ArrayList<>();
        for (Path directory : directories) {
            if (Files.isWritable(directory)) {
                removeAbandoned(directory);
                long free = Files.getFileStore(directory).getUsableSpace();
                if (free >= bytes) {
                    return directory;
                }
                full.add(String.format(Locale.ROOT, "%s (%.1f GB free)", directory, free / GIGABYTE));
            } else {
                full.add(directory + " (cannot be written)");
            }
        }
        throw new JobException(
                ExitCode.UNAVAILABLE,
                String.format(
                        Locale.ROOT,
                        "Cannot build the token store: it takes %.1f GB, and Spark's local directories have no room for"
                                + " it: %s; free some, or set spark.local.dir to a larger disk",
                        bytes / GIGABYTE,
                        String.join(", ", full)));
    }

    /** Removes the stores that no run uses any more. */
    private static void removeAbandoned(Path directory) throws IOException {
        List<Path> stores;
        try (Stream<Path> entries = Files.list(directory)) {
            stores = entries.filter(entry -> entry.getFileName().toString().startsWith(PREFIX))
                    .toList();
        }
        for (Path store : stores) {
            try {
                SharedFolder.removeUnused(store);
            } catch (IOException e) {
                LOG.info("Cannot remove {}, which may be another user's: {}", store, e.toString());
            }
        }
    }
}
