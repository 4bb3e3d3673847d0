package io.github.rarspark.common.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;

/** A real file system of a few bytes, in memory. Mounting it takes privileges; a test without them is skipped. */
public final class SmallDisk implements AutoCloseable {
    private static final long LIMIT_SECONDS = 30;

    private final Path path;

    private SmallDisk(Path path) {
        this.path = path;
    }

    /** Mounts a file system of {@code bytes} on a new folder in {@code parent}. */
    public static SmallDisk mount(Path parent, long bytes) throws IOException, InterruptedException {
        Path path = Files.createTempDirectory(parent, "disk");
        boolean mounted = run("mount", "-t", "tmpfs", "-o", "size=" + bytes, "tmpfs", path.toString());
        Assumptions.assumeTrue(mounted, "needs the privilege to mount a file system");
        return new SmallDisk(path);
    }

    /** Where it is. */
    public Path path() {
        return path;
    }

    /** Has room for {@code bytes} from now on. */
    public void resize(long bytes) throws IOException, InterruptedException {
        if (!run("mount", "-o", "remount,size=" + bytes, path.toString())) {
            throw new IOException("Cannot resize " + path);
        }
    }

    /** Refuses writes from now on. */
    public void makeReadOnly() throws IOException, InterruptedException {
        if (!run("mount", "-o", "remount,ro", path.toString())) {
            throw new IOException("Cannot make " + path + " read-only");
        }
    }

    @Override
    public void close() throws IOException {
        try {
            if (!run("umount", "-l", path.toString())) {
                throw new IOException("Cannot unmount " + path);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("Interrupted while unmounting " + path, e);
        }
    }

    private static boolean run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new IOException("No end of " + String.join(" ", command) + " within " + LIMIT_SECONDS + " s");
        }
        return process.exitValue() == 0;
    }
}
