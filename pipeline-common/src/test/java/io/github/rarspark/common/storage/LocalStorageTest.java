package io.github.rarspark.common.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class LocalStorageTest extends StorageContract {
    @TempDir
    Path temp;

    @Override
    Storage storage() {
        return new Storage(new Configuration());
    }

    @Override
    String directory(String name) {
        return temp.resolve(name).toUri().toString();
    }

    @Test
    void noChecksumFilesLieAround() throws Exception {
        storage.putString(path("a"), "a");
        try (Stream<Path> files = Files.list(Path.of(URI.create(root)))) {
            assertThat(files).extracting(p -> p.getFileName().toString()).containsExactly("a");
        }
    }

    @Test
    @Timeout(60)
    void aPipeIsNeitherReplacedNorWaitedFor() throws Exception {
        Path folder = Files.createDirectories(Path.of(URI.create(root)));
        Path pipe = folder.resolve("pipe");
        assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor())
                .isZero();
        Files.createSymbolicLink(folder.resolve("link"), pipe);
        for (String name : List.of("pipe", "link")) {
            assertThatThrownBy(() -> storage.readBytes(path(name)))
                    .isInstanceOf(FileNotFoundException.class)
                    .hasMessage("Cannot read " + path(name) + ": it is a device or a pipe, not a file");
            assertThatThrownBy(() -> storage.requireWritable(path(name)))
                    .isInstanceOfSatisfying(
                            JobException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.USAGE))
                    .hasMessage("Cannot write " + storage.qualify(path(name))
                            + ": it is a device or a pipe; choose another name");
            assertThatThrownBy(() -> storage.putString(path(name), "text")).isInstanceOf(JobException.class);
        }
        assertThat(Files.readAttributes(pipe, BasicFileAttributes.class).isOther())
                .isTrue();
        assertThat(folder.resolve("link")).isSymbolicLink();
    }

    @Test
    void anObjectThatCannotBeDeletedIsAnError() throws Exception {
        storage.putString(path("a"), "a");
        Configuration configuration = new Configuration();
        configuration.set("fs.file.impl", Undeletable.class.getName());
        configuration.setBoolean("fs.file.impl.disable.cache", true);
        Storage refusing = new Storage(configuration);
        assertThatThrownBy(() -> refusing.delete(path("a")))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith("Cannot delete " + path("a"));
        refusing.delete(path("missing"));
    }

    /** Local files of which none can be deleted. */
    static final class Undeletable extends LocalFileSystem {
        Undeletable() {
            super(new RawLocalFileSystem() {
                @Override
                public boolean delete(org.apache.hadoop.fs.Path path, boolean recursive) {
                    return false;
                }
            });
        }
    }

    @Test
    @Tag("fault")
    void aKilledWriterLeavesNoObject() throws Exception {
        Process writer = new ProcessBuilder(List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx256m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        HangingWriter.class.getName(),
                        path("shard")))
                .redirectErrorStream(true)
                .redirectOutput(temp.resolve("writer.log").toFile())
                .start();
        try {
            Path directory = Path.of(URI.create(root));
            Awaitility.await().atMost(60, TimeUnit.SECONDS).until(() -> holdsPart(directory));
            writer.destroyForcibly();
            assertThat(writer.waitFor(30, TimeUnit.SECONDS)).isTrue();
            assertThat(writer.exitValue()).isEqualTo(128 + 9);
            assertThat(storage.exists(path("shard"))).isFalse();
            assertThat(storage.list(root)).isEmpty();
            for (String temporary : storage.temporaries(root)) {
                storage.delete(temporary);
            }
            assertThat(holdsPart(directory)).isFalse();
        } finally {
            writer.destroyForcibly();
        }
    }

    private static boolean holdsPart(Path directory) throws Exception {
        if (!Files.isDirectory(directory)) {
            return false;
        }
        try (Stream<Path> files = Files.list(directory)) {
            return files.anyMatch(p -> p.toFile().length() > 0);
        }
    }

    /** Writes half of an object and waits to be killed. */
    static final class HangingWriter {
        public static void main(String[] args) throws Exception {
            new Storage(new Configuration()).put(args[0], out -> {
                out.write(new byte[1 << 20]);
                out.flush();
                try {
                    Thread.currentThread().join(120_000);
                } catch (InterruptedException e) {
                    throw new java.io.InterruptedIOException();
                }
            });
        }
    }
}
