package io.github.rarspark.common.tokens;

import static io.github.rarspark.common.testing.JobAssert.assertFails;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.testing.Jvm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class SharedFolderTest {
    private static final Duration LIMIT = Duration.ofSeconds(60);

    @TempDir
    private Path temp;

    private Path folder;

    @BeforeEach
    void name() {
        folder = temp.resolve("folder");
    }

    @Test
    void aFolderThatOthersMayAccessIsRefused() throws Exception {
        Files.createDirectory(folder);
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxrwxrwx"));
        assertFails(ExitCode.UNAVAILABLE, () -> SharedFolder.use(folder, LIMIT))
                .isEqualTo("Cannot use " + folder
                        + ": others than its owner may access it; remove it, or set spark.local.dir to another place");
        SharedFolder.removeUnused(folder);
        assertThat(folder).isEmptyDirectory();
        Files.delete(folder);
        Path elsewhere = Files.createDirectory(
                temp.resolve("elsewhere"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        Files.createSymbolicLink(folder, elsewhere);
        assertFails(ExitCode.UNAVAILABLE, () -> SharedFolder.use(folder, LIMIT))
                .contains("others than its owner may access it");
        assertThat(elsewhere).isEmptyDirectory();
    }

    /** Its remover has written to the lock and died before it was deleted. */
    @Test
    void aFolderWhoseRemovalWasCutShortIsRemovedOrUsed() throws Exception {
        for (boolean use : new boolean[] {false, true}) {
            SharedFolder.use(folder, LIMIT).close();
            Files.write(folder.resolve("lock"), new byte[] {0});
            Files.createFile(folder.resolve("left"));
            if (use) {
                SharedFolder.use(folder, LIMIT).close();
                assertThat(folder.resolve("left")).doesNotExist();
            } else {
                SharedFolder.removeUnused(folder);
                assertThat(folder).doesNotExist();
            }
        }
    }

    @Test
    void onlyOneWorksAlone() throws Exception {
        int threads = 4;
        AtomicInteger working = new AtomicInteger();
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        try {
            List<Future<Integer>> most = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                most.add(pool.submit(() -> {
                    int seen = 0;
                    try (SharedFolder used = SharedFolder.use(folder, LIMIT)) {
                        for (int round = 0; round < 10; round++) {
                            int[] now = new int[1];
                            used.alone(LIMIT, () -> {
                                now[0] = working.incrementAndGet();
                                Thread.yield();
                                working.decrementAndGet();
                            });
                            seen = Math.max(seen, now[0]);
                        }
                    }
                    return seen;
                }));
            }
            for (Future<Integer> each : most) {
                assertThat(each.get(60, TimeUnit.SECONDS)).isEqualTo(1);
            }
        } finally {
            pool.shutdownNow();
        }
    }

    @Test
    void aFolderIsNeverRemovedFromAThreadThatUsesIt() throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(2);
        AtomicBoolean done = new AtomicBoolean();
        try {
            List<Future<Void>> removers = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                removers.add(pool.submit(() -> {
                    removeAgainAndAgain(folder, done::get);
                    return null;
                }));
            }
            useAgainAndAgain(100);
            done.set(true);
            for (Future<Void> remover : removers) {
                remover.get(60, TimeUnit.SECONDS);
            }
        } finally {
            done.set(true);
            pool.shutdown();
        }
    }

    @Test
    void aFolderIsNeverRemovedFromAProcessThatUsesIt() throws Exception {
        List<Process> removers = new ArrayList<>();
        try {
            for (int i = 0; i < 2; i++) {
                removers.add(Jvm.of(List.of("-Xmx64m"), SharedFolderTest.class.getName(), folder.toString())
                        .inheritIO()
                        .start());
            }
            // That it disappears shows that one of them has begun.
            SharedFolder.use(folder, LIMIT).close();
            Awaitility.await().atMost(LIMIT).until(() -> Files.notExists(folder));
            useAgainAndAgain(100);
            assertThat(removers).allMatch(Process::isAlive);
        } finally {
            removers.forEach(Process::destroyForcibly);
        }
    }

    private void useAgainAndAgain(int times) throws IOException, InterruptedException {
        for (int i = 0; i < times; i++) {
            try (SharedFolder used = SharedFolder.use(folder, LIMIT)) {
                Path file = used.resolve("file");
                used.create(file).close();
                Thread.yield();
                assertThat(file).exists();
                Files.delete(file);
            }
        }
    }

    private static void removeAgainAndAgain(Path folder, BooleanSupplier done) throws IOException {
        while (!done.getAsBoolean()) {
            SharedFolder.removeUnused(folder);
        }
    }

    /** Removes a folder whenever nobody uses it, until it is killed. */
    public static void main(String[] arguments) throws IOException {
        removeAgainAndAgain(Path.of(arguments[0]), () -> false);
    }
}
