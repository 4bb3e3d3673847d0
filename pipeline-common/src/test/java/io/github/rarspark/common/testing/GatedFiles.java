package io.github.rarspark.common.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Future;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.FilterFileSystem;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.fs.permission.FsPermission;
import org.apache.hadoop.util.Progressable;
import org.awaitility.Awaitility;

/** The local file system, where the writers of chosen files, which they have created, wait until a gate opens; of executors as well. */
public final class GatedFiles extends LocalFileSystem {
    private static final String GATE = "rarspark.test.gate";
    private static final String GATED = "rarspark.test.gated";
    private static final Duration LIMIT = Duration.ofSeconds(300);

    /**
     * The Hadoop settings of a closed gate.
     *
     * @param gate a path that does not exist: it is a file while a writer waits, and open when that is deleted
     * @param paths a part of the paths of the files that pass through the gate
     */
    public static Map<String, String> closed(java.nio.file.Path gate, String paths) {
        return Map.of(
                "fs.file.impl",
                GatedFiles.class.getName(),
                "fs.file.impl.disable.cache",
                "true",
                GATE,
                gate.toString(),
                GATED,
                paths);
    }

    /** Waits for a writer of {@code run}, which must not end before. */
    public static void awaitWriter(java.nio.file.Path gate, Future<?> run) throws Exception {
        Awaitility.await("a writer at the gate").atMost(LIMIT).until(() -> Files.exists(gate) || run.isDone());
        if (!Files.exists(gate)) {
            throw new IllegalStateException("The run ended before: " + run.get());
        }
    }

    /** Made by Hadoop. */
    public GatedFiles() {
        super(new Gated(new RawLocalFileSystem()));
    }

    /** A file system of its own kind: to files of the local one {@code Storage} would write directly. */
    private static final class Gated extends FilterFileSystem {
        Gated(FileSystem files) {
            super(files);
        }

        @Override
        public FSDataOutputStream create(
                Path path,
                FsPermission permission,
                boolean overwrite,
                int bufferSize,
                short replication,
                long blockSize,
                Progressable progress)
                throws IOException {
            FSDataOutputStream file =
                    super.create(path, permission, overwrite, bufferSize, replication, blockSize, progress);
            if (path.toString().contains(getConf().get(GATED))) {
                pass(java.nio.file.Path.of(getConf().get(GATE)));
            }
            return file;
        }

        private static void pass(java.nio.file.Path gate) throws IOException {
            java.nio.file.Path passed = gate.resolveSibling(gate.getFileName() + ".passed");
            if (!Files.exists(passed)) {
                Files.createFile(passed);
                Files.createFile(gate);
            }
            Awaitility.await("the gate").atMost(LIMIT).until(() -> !Files.exists(gate));
        }
    }
}
