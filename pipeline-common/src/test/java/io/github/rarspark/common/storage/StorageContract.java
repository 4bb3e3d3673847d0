package io.github.rarspark.common.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.Failures;
import io.github.rarspark.common.JobException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocatedFileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RemoteIterator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;

/** What {@link Storage} promises on every file system. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(value = 120, unit = TimeUnit.SECONDS)
abstract class StorageContract {
    /** More than one part of a multipart upload. */
    private static final int LARGE_BYTES = 12 << 20;

    private static final int ROUNDS = 25;

    Storage storage;
    String root;

    abstract Storage storage() throws Exception;

    abstract String directory(String name) throws Exception;

    @BeforeEach
    void open() throws Exception {
        storage = storage();
        root = directory("t" + UUID.randomUUID());
    }

    @Test
    void putReturnsWhatWasWritten() throws Exception {
        Stored stored = storage.putString(path("a.txt"), "hello");
        assertThat(stored.bytes()).isEqualTo(5);
        assertThat(stored.sha256()).isEqualTo("2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
        assertThat(stored.path()).isEqualTo(storage.qualify(path("a.txt")));
        assertThat(storage.readString(path("a.txt"))).isEqualTo("hello");
        assertThat(storage.length(path("a.txt"))).isEqualTo(5);
        assertThat(storage.sha256(path("a.txt"))).isEqualTo(stored.sha256());
    }

    @Test
    void emptyAndLargeObjectsAreStored() throws Exception {
        storage.putBytes(path("empty"), new byte[0]);
        assertThat(storage.readBytes(path("empty"))).isEmpty();
        byte[] large = new byte[LARGE_BYTES];
        Arrays.fill(large, (byte) 7);
        storage.putBytes(path("large"), large);
        assertThat(storage.readBytes(path("large"))).isEqualTo(large);
    }

    @Test
    void putReplaces() throws Exception {
        storage.putString(path("a"), "one, and longer");
        storage.putString(path("a"), "two");
        assertThat(storage.readString(path("a"))).isEqualTo("two");
        assertThat(everything()).containsExactly("a");
    }

    @Test
    void aWriterThatThrowsLeavesNothing() throws Exception {
        for (int bytes : new int[] {0, 10, LARGE_BYTES}) {
            assertThatThrownBy(() -> storage.put(path("a"), out -> {
                        out.write(new byte[bytes]);
                        throw new IOException("half way");
                    }))
                    .isInstanceOf(IOException.class)
                    .hasMessage("half way")
                    .hasNoSuppressedExceptions();
            assertThat(storage.exists(path("a"))).isFalse();
            assertThat(everything()).isEmpty();
        }
    }

    @Test
    void aWriterThatThrowsKeepsTheObjectOfBefore() throws Exception {
        storage.putString(path("a"), "before");
        assertThatThrownBy(() -> storage.put(path("a"), out -> {
                    out.write(1);
                    throw new IllegalStateException("half way");
                }))
                .hasMessage("half way");
        assertThat(storage.readString(path("a"))).isEqualTo("before");
        assertThat(everything()).containsExactly("a");
    }

    @Test
    void anObjectThatStaysIsNotReplaced() throws Exception {
        assertThat(storage.putUnless(path("a"), there -> true, out -> out.write('1')))
                .get()
                .returns(1L, Stored::bytes);
        List<String> asked = new ArrayList<>();
        assertThat(storage.putUnless(
                        path("a"),
                        there -> {
                            asked.add(storage.readString(there));
                            return true;
                        },
                        out -> out.write('2')))
                .isEmpty();
        assertThat(asked).containsExactly("1");
        assertThat(storage.readString(path("a"))).isEqualTo("1");
        assertThat(storage.putUnless(path("a"), there -> false, out -> out.write('3')))
                .isPresent();
        assertThat(storage.readString(path("a"))).isEqualTo("3");
        assertThat(everything()).containsExactly("a");
    }

    @Test
    void anObjectThatAppearsWhileAnotherIsWrittenStays() throws Exception {
        assertThat(storage.putUnless(path("a"), there -> true, out -> {
                    out.write('2');
                    storage.putString(path("a"), "1");
                }))
                .isEmpty();
        assertThat(storage.readString(path("a"))).isEqualTo("1");
        assertThat(everything()).containsExactly("a");
    }

    @Test
    void oneOfSeveralCreatorsSucceeds() throws Exception {
        int creators = 8;
        ExecutorService pool = Executors.newFixedThreadPool(creators);
        try {
            for (int round = 0; round < ROUNDS; round++) {
                String path = path("created-" + round);
                CyclicBarrier start = new CyclicBarrier(creators);
                List<Future<Boolean>> created = new ArrayList<>();
                for (int i = 0; i < creators; i++) {
                    int value = i;
                    created.add(pool.submit(() -> {
                        start.await(30, TimeUnit.SECONDS);
                        return storage.createJson(path, value);
                    }));
                }
                List<Integer> winners = new ArrayList<>();
                for (int i = 0; i < creators; i++) {
                    if (created.get(i).get(30, TimeUnit.SECONDS)) {
                        winners.add(i);
                    }
                }
                assertThat(winners).contains(storage.readJson(path, Integer.class));
                if (storage.createsExclusively(path)) {
                    assertThat(winners).hasSize(1);
                }
            }
        } finally {
            pool.shutdownNow();
        }
    }

    @Test
    void aNameThatIsTooLongIsBadUsage() throws Exception {
        String path = path("n".repeat(300));
        assumeTrue(storage.createsExclusively(path), "object stores have longer names");
        assertThatThrownBy(() -> storage.putString(path, "x"))
                .satisfies(e -> assertThat(Failures.exitCode(e)).isEqualTo(ExitCode.USAGE));
    }

    @Test
    void anObjectAppearsAtTheEndOnly() throws Exception {
        storage.put(path("d/a"), out -> {
            out.write(new byte[LARGE_BYTES]);
            out.flush();
            assertThat(storage.exists(path("d/a"))).isFalse();
            assertThat(storage.list(path("d"))).isEmpty();
            assertThat(storage.walk(root)).isEmpty();
        });
        assertThat(storage.list(path("d"))).containsExactly("a");
    }

    @Test
    void readersSeeOneVersionOrTheOther() throws Exception {
        byte[][] versions = {content('a', 300_000), content('b', 200_000)};
        storage.putBytes(path("a"), versions[0]);
        AtomicBoolean done = new AtomicBoolean();
        CountDownLatch read = new CountDownLatch(1);
        ExecutorService pool = Executors.newSingleThreadExecutor();
        try {
            Future<Integer> reader = pool.submit(() -> {
                int whole = 0;
                while (!done.get() || whole == 0) {
                    byte[] seen;
                    try {
                        seen = storage.readBytes(path("a"));
                    } catch (FileNotFoundException e) {
                        throw e;
                    } catch (IOException e) {
                        // The blocks of the version it had opened may be gone by now: an error, not a mixture.
                        continue;
                    }
                    assertThat(Arrays.equals(seen, versions[0]) || Arrays.equals(seen, versions[1]))
                            .as("%d bytes, the first %c, the last %c", seen.length, seen[0], seen[seen.length - 1])
                            .isTrue();
                    whole++;
                    read.countDown();
                }
                return whole;
            });
            assertThat(read.await(30, TimeUnit.SECONDS)).isTrue();
            for (int i = 0; i < 100; i++) {
                storage.putBytes(path("a"), versions[i % 2]);
            }
            done.set(true);
            assertThat(reader.get(60, TimeUnit.SECONDS)).isPositive();
        } finally {
            pool.shutdownNow();
        }
    }

    @Test
    void listingsAreSortedAndSkipWhatIsHidden() throws Exception {
        for (String name : List.of("b", "a", ".hidden", "_plan.json", "sub/c", "sub/.hidden/d")) {
            storage.putString(path(name), name);
        }
        assertThat(storage.list(root)).containsExactly("_plan.json", "a", "b");
        assertThat(storage.walk(root)).extracting(StoredFile::name).containsExactly("_plan.json", "a", "b", "sub/c");
        assertThat(storage.files(root)).isEqualTo(storage.walk(root).subList(0, 3));
        assertThat(storage.files(path("a"))).isEqualTo(storage.walk(path("a")));
        assertThat(storage.files(path("none"))).isEmpty();
        StoredFile last = storage.walk(root).get(3);
        assertThat(last.bytes()).isEqualTo(5);
        assertThat(Instant.ofEpochMilli(last.modified())).isCloseTo(Instant.now(), within(1, ChronoUnit.HOURS));
        assertThat(storage.readString(last.path())).isEqualTo("sub/c");
        assertThat(storage.walk(path("a"))).extracting(StoredFile::name).containsExactly("a");
        assertThat(storage.list(path("none"))).isEmpty();
        assertThat(storage.walk(path("none"))).isEmpty();
    }

    @Test
    void namesKeepTheirCharacters() throws Exception {
        for (String name : List.of("with space", "per%20cent", "ümlaut", "plus+", "colon-free=1")) {
            storage.putString(path(name), name);
            assertThat(storage.readString(path(name))).isEqualTo(name);
        }
        assertThat(storage.list(root)).containsExactly("colon-free=1", "per%20cent", "plus+", "with space", "ümlaut");
    }

    @Test
    void missingObjectsAreNotFound() throws Exception {
        assertThat(storage.exists(path("none"))).isFalse();
        assertThat(storage.isDirectory(path("none"))).isFalse();
        assertThatThrownBy(() -> storage.readBytes(path("none"))).isInstanceOf(FileNotFoundException.class);
        assertThatThrownBy(() -> storage.length(path("none"))).isInstanceOf(FileNotFoundException.class);
        storage.delete(path("none"));
    }

    @Test
    void directoriesAreSeenAndDeleted() throws Exception {
        storage.putString(path("d/e/f"), "f");
        assertThat(storage.isDirectory(path("d"))).isTrue();
        assertThat(storage.isDirectory(path("d/e/f"))).isFalse();
        assertThatThrownBy(() -> storage.putString(path("d"), "file"))
                .isInstanceOfAny(IOException.class, JobException.class)
                .hasMessageContaining("is a directory");
        storage.delete(path("d"));
        assertThat(storage.exists(path("d/e/f"))).isFalse();
    }

    @Test
    void readsAtAnyPosition() throws Exception {
        storage.putString(path("a"), "0123456789");
        try (var in = storage.open(path("a"))) {
            byte[] two = new byte[2];
            in.readFully(7, two);
            assertThat(two).asString(StandardCharsets.UTF_8).isEqualTo("78");
            in.seek(3);
            assertThat(in.read()).isEqualTo('3');
        }
    }

    @Test
    void jsonHasEqualBytesForEqualValues() throws Exception {
        storage.putJson(path("a.json"), Map.of("b", 1, "a", List.of(0.5)));
        assertThat(storage.readString(path("a.json"))).isEqualTo("{\n  \"a\" : [ 0.5 ],\n  \"b\" : 1\n}\n");
        assertThat((Object) storage.readJson(path("a.json"), Map.class)).isEqualTo(Map.of("a", List.of(0.5), "b", 1));
    }

    @Test
    void aHandleReachesTheSameFilesAfterItsJourney() throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(storage);
        }
        try (ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
            Storage there = (Storage) in.readObject();
            there.putString(path("a"), "from a task");
        }
        assertThat(storage.readString(path("a"))).isEqualTo("from a task");
    }

    @Test
    void whetherAnObjectCanBeWrittenIsKnownBefore() throws Exception {
        storage.requireWritable(path("a"));
        storage.requireWritable(path("d/b"));
        assertThat(everything()).isEmpty();
        storage.putString(path("a"), "before");
        storage.requireWritable(path("a"));
        assertThat(storage.readString(path("a"))).isEqualTo("before");
        storage.putString(path("d/b"), "x");
        assertThatThrownBy(() -> storage.requireWritable(path("d")))
                .isInstanceOfSatisfying(
                        JobException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.USAGE));
    }

    @Test
    void spaceIsKnownButOfObjectStores() throws Exception {
        OptionalLong space = storage.space(path("not/there/yet"));
        assertThat(space.isPresent()).isEqualTo(storage.createsExclusively(root));
        assertThat(space.orElse(1)).isPositive();
        assertThat(everything()).isEmpty();
    }

    @Test
    void leftoversOfDeadWritersAreInvisibleAndCleaned() throws Exception {
        storage.putString(path("a"), "finished");
        FileSystem fs = new Path(root).getFileSystem(storage.configuration());
        // What a killed process leaves where objects are renamed into place.
        fs.create(new Path(path("d/._rar-0-shard"))).close();
        assertThat(storage.list(path("d"))).isEmpty();
        assertThat(storage.walk(root)).extracting(StoredFile::name).containsExactly("a");
        List<String> temporaries = storage.temporaries(root);
        assertThat(temporaries).singleElement().asString().endsWith("/d/._rar-0-shard");
        storage.delete(temporaries.get(0));
        assertThat(everything()).containsExactly("a");
        assertThat(storage.temporaries(path("none"))).isEmpty();
    }

    String path(String name) {
        return root + "/" + name;
    }

    /** Names of all files below the root, hidden ones too. */
    private List<String> everything() throws IOException {
        FileSystem fs = new Path(root).getFileSystem(storage.configuration());
        List<String> names = new ArrayList<>();
        try {
            RemoteIterator<LocatedFileStatus> all = fs.listFiles(new Path(root), true);
            while (all.hasNext()) {
                names.add(all.next().getPath().getName());
            }
        } catch (FileNotFoundException e) {
            return List.of();
        }
        return names;
    }

    private static byte[] content(char letter, int length) {
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, (byte) letter);
        return bytes;
    }

    @Test
    void anObjectThatIsReplacedIsReadWhole() throws Exception {
        String path = Storage.child(directory("replaced"), "object.json");
        List<String> versions = List.of("{\"short\": 1}", "{\"longer\": \"" + "x".repeat(500) + "\"}");
        storage.putString(path, versions.get(0));
        AtomicBoolean done = new AtomicBoolean();
        ExecutorService writer = Executors.newSingleThreadExecutor();
        try {
            Future<Integer> written = writer.submit(() -> {
                int count = 0;
                for (; !done.get(); count++) {
                    storage.putString(path, versions.get(count / 10 % 2));
                }
                return count;
            });
            Set<String> read = new HashSet<>();
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
            for (int reads = 0; reads < 200 || read.size() < 2; reads++) {
                assertThat(System.nanoTime()).as("the time of read %d", reads).isLessThan(deadline);
                read.add(storage.readString(path));
            }
            done.set(true);
            assertThat(written.get(30, TimeUnit.SECONDS)).isGreaterThan(10);
            assertThat(read).containsExactlyInAnyOrderElementsOf(versions);
        } finally {
            done.set(true);
            writer.shutdownNow();
        }
    }
}
