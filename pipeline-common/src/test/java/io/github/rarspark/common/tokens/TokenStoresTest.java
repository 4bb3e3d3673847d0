package io.github.rarspark.common.tokens;

import static io.github.rarspark.common.testing.JobAssert.assertFails;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.FaultyFiles;
import io.github.rarspark.common.testing.SmallDisk;
import io.github.rarspark.common.testing.TokenSets;
import io.github.rarspark.common.testing.TokenTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.apache.spark.SparkConf;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(120)
class TokenStoresTest {
    private static final int TOKENS = 9;
    private static final int ROW_BYTES = 4 + 2 * TOKENS;
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final String RUN = "0a1b2c3d";

    @TempDir
    private Path temp;

    private final AtomicInteger opened = new AtomicInteger();
    private volatile FaultyFiles.Fault fault = path -> {};
    private Path local;
    private String output;

    @BeforeEach
    void prepare() throws IOException {
        local = Files.createDirectory(temp.resolve("local"));
        output = temp.resolve("tokens").toString();
    }

    /** Random rows in shards of these sizes; {@link #opened} counts whenever a shard is opened. */
    private TokenSource shards(int... rowsOfShards) throws IOException {
        Storage storage = new Storage(FaultyFiles.with(path -> {
            if (path.getName().endsWith(".parquet")) {
                opened.incrementAndGet();
                fault.open(path);
            }
        }));
        TokenSets.write(storage, output, 3, 32768, List.of(), TokenStoresTest::row, rowsOfShards);
        opened.set(0);
        return TokenSource.open(storage, "--tokens", output, new TokenShape(TOKENS, 32768, 70_000));
    }

    private static TokenRow row(long number) {
        SplittableRandom random = new SplittableRandom(number);
        return new TokenRow(
                "row " + number,
                random.nextInt(70_000),
                0,
                random.longs(TOKENS, 0, 32768).toArray());
    }

    private TokenStores stores(int mappingBytes) {
        return new TokenStores(List.of(local), RUN, mappingBytes);
    }

    private TokenStore open(TokenSource source) throws IOException, InterruptedException {
        return stores(1 << 20).open(source, LIMIT);
    }

    private Path folder() {
        return local.resolve("rar-tokens-" + RUN);
    }

    private List<String> files() throws IOException {
        try (Stream<Path> files = Files.list(folder())) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    private static void assertHoldsTheRowsOf(TokenStore store, TokenSource source) throws IOException {
        TokenTable table = TokenTable.of(source);
        assertThat(store.rows()).isEqualTo(table.rows());
        for (long row = 0; row < table.rows(); row++) {
            long[] expected = new long[TOKENS + 2];
            long[] actual = new long[TOKENS + 2];
            table.copyTokens(row, expected, 1);
            store.copyTokens(row, actual, 1);
            assertThat(actual).as("row %d", row).isEqualTo(expected);
            assertThat(store.classId(row)).isEqualTo(table.classId(row));
        }
        assertThatThrownBy(() -> store.classId(table.rows())).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> store.classId(-1)).isInstanceOf(IndexOutOfBoundsException.class);
    }

    /** Mappings end within, at and beyond a row, within, at and beyond the file. */
    @ParameterizedTest
    @ValueSource(
            ints = {
                1,
                ROW_BYTES,
                7 * ROW_BYTES - 1,
                7 * ROW_BYTES,
                7 * ROW_BYTES + 1,
                15 * ROW_BYTES,
                30 * ROW_BYTES - 1,
                30 * ROW_BYTES,
                30 * ROW_BYTES + 1,
                1 << 30
            })
    void everyRowIsTheSourcesWhateverAMappingHolds(int mappingBytes) throws Exception {
        TokenSource source = shards(11, 0, 1, 18, 0);
        try (TokenStore store = stores(mappingBytes).open(source, LIMIT)) {
            assertHoldsTheRowsOf(store, source);
            assertThat(store.mappingBytes()).allMatch(bytes -> bytes <= Math.max(mappingBytes, ROW_BYTES));
        }
    }

    @Test
    void moreRowsThanTheBufferOfTheWriterHolds() throws Exception {
        TokenSource source = shards(40_000, 20_001);
        try (TokenStore store = open(source)) {
            assertHoldsTheRowsOf(store, source);
        }
    }

    @Test
    void aRowLongerThanTheBufferOfTheWriter() throws Exception {
        int length = 600_000;
        Path lines = Files.writeString(
                temp.resolve("long.jsonl"),
                "{\"class_id\":1,\"tokens\":[" + "0,".repeat(length - 1) + "5]}\n{\"class_id\":0,\"tokens\":["
                        + "3,".repeat(length - 1) + "4]}\n");
        TokenSource source = TokenSource.open(
                new Storage(FaultyFiles.with(path -> {})), "--tokens", lines.toString(), new TokenShape(length, 6, 2));
        long[] tokens = new long[length];
        try (TokenStore store = open(source)) {
            store.copyTokens(1, tokens, 0);
            assertThat(store.classId(0)).isEqualTo(1);
        }
        assertThat(tokens).startsWith(3, 3).endsWith(3, 4);
    }

    @Test
    void linesAreStoredAsShardsAre() throws Exception {
        TokenSource shards = shards(30, 20);
        Storage storage = new Storage(FaultyFiles.with(path -> {}));
        String path = temp.resolve("tokens.jsonl").toString();
        storage.put(path, TokenLines.writer(shards));
        TokenSource lines = TokenSource.open(storage, "--tokens", path, new TokenShape(TOKENS, 32768, 70_000));
        try (TokenStore store = open(lines)) {
            assertHoldsTheRowsOf(store, shards);
        }
        assertThat(files()).containsExactly(lines.sha256() + ".tokens", "lock");
        Files.writeString(Path.of(path), Files.readString(Path.of(path)).replaceFirst("\"tokens\":\\[\\d", "$07"));
        stores(1).remove();
        assertFails(ExitCode.DATA, () -> open(lines)).contains("tokens.jsonl");
    }

    @Test
    void onlyItsOwnerCanReadIt() throws Exception {
        TokenSource source = shards(3);
        try (TokenStore store = open(source)) {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(folder())))
                    .isEqualTo("rwx------");
            assertThat(files()).containsExactly(source.sha256() + ".tokens", "lock");
            for (String file : files()) {
                assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(folder().resolve(file))))
                        .isEqualTo("rw-------");
            }
        }
    }

    @Test
    void laterTasksOfTheRunReuseIt() throws Exception {
        TokenSource source = shards(5, 5);
        open(source).close();
        assertThat(opened).as("each shard is opened once").hasValue(2);
        try (TokenStore store = open(source)) {
            assertThat(store.rows()).isEqualTo(10);
        }
        assertThat(opened).hasValue(2);
    }

    @Test
    void whatHasBeenDamagedIsBuiltAgain() throws Exception {
        TokenSource source = shards(5, 5);
        Path file = folder().resolve(source.sha256() + ".tokens");
        open(source).close();
        byte[] intact = Files.readAllBytes(file);
        int builds = 1;
        for (int at = 0; at < intact.length; at += 13) {
            byte[] altered = intact.clone();
            altered[at] ^= 1;
            assertBuiltAgain(source, file, altered, intact, ++builds);
        }
        assertBuiltAgain(source, file, Arrays.copyOf(intact, intact.length - 1), intact, ++builds);
        assertBuiltAgain(source, file, Arrays.copyOf(intact, intact.length + 1), intact, ++builds);
        assertBuiltAgain(source, file, new byte[0], intact, ++builds);
        assertBuiltAgain(source, file, new byte[intact.length], intact, ++builds);
    }

    private void assertBuiltAgain(TokenSource source, Path file, byte[] found, byte[] intact, int builds)
            throws Exception {
        Files.write(file, found);
        try (TokenStore store = open(source)) {
            assertThat(opened).hasValue(2 * builds);
            assertThat(file).hasBinaryContent(intact);
        }
    }

    /** The same bytes under the name of other tokens. */
    @Test
    void aStoreOfOtherTokensIsNotTaken() throws Exception {
        TokenSource first = shards(5);
        open(first).close();
        output = temp.resolve("other").toString();
        TokenSource second = shards(3, 2);
        Files.move(folder().resolve(first.sha256() + ".tokens"), folder().resolve(second.sha256() + ".tokens"));
        open(second).close();
        assertThat(opened).hasValue(2);
    }

    @Test
    void aShardThatDoesNotMatchTheManifestIsNamedAndNothingRemains() throws Exception {
        TokenSource source = shards(5, 5);
        Path shard = Path.of(output, "part-000-00001.parquet");
        byte[] intact = Files.readAllBytes(shard);
        byte[] altered = intact.clone();
        altered[altered.length / 2] ^= 1;
        for (byte[] wrong : List.of(
                altered,
                Arrays.copyOf(intact, intact.length - 1),
                Arrays.copyOf(intact, intact.length + 1),
                new byte[0])) {
            Files.write(shard, wrong);
            assertFails(ExitCode.DATA, () -> open(source))
                    .isEqualTo("Cannot read " + output + "/part-000-00001.parquet: its checksum does not match the"
                            + " manifest; tokenize again into another output");
            assertThat(files()).containsExactly("lock");
        }
        Files.delete(shard);
        assertFails(ExitCode.NO_INPUT, () -> open(source)).contains("part-000-00001.parquet");
        Files.write(shard, intact);
        try (TokenStore store = open(source)) {
            assertHoldsTheRowsOf(store, source);
        }
    }

    @Test
    void threadsThatOpenItAtOnceBuildItOnce() throws Exception {
        TokenSource source = shards(500, 500);
        int threads = 8;
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        CountDownLatch go = new CountDownLatch(1);
        try {
            List<Future<Long>> rows = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                rows.add(pool.submit(() -> {
                    go.await();
                    try (TokenStore store = open(source)) {
                        return store.rows();
                    }
                }));
            }
            go.countDown();
            for (Future<Long> each : rows) {
                assertThat(each.get(60, TimeUnit.SECONDS)).isEqualTo(1000);
            }
        } finally {
            pool.shutdownNow();
        }
        assertThat(opened).hasValue(2);
    }

    @Test
    void processesThatOpenItAtOnceBuildItOnce() throws Exception {
        shards(2000, 2000);
        Path go = temp.resolve("go");
        try (TokenStoreProcess first = TokenStoreProcess.start(local, RUN, output, go, "");
                TokenStoreProcess second = TokenStoreProcess.start(local, RUN, output, go, "");
                TokenStoreProcess third = TokenStoreProcess.start(local, RUN, output, go, "")) {
            List<TokenStoreProcess> all = List.of(first, second, third);
            for (TokenStoreProcess process : all) {
                assertThat(process.says()).isEqualTo("ready");
            }
            Files.createFile(go);
            List<String> counts = new ArrayList<>();
            for (TokenStoreProcess process : all) {
                counts.add(process.says());
            }
            assertThat(counts).containsExactlyInAnyOrder("2", "0", "0");
        }
    }

    @Test
    void aProcessThatIsKilledWhileItBuildsLeavesNothingToTrust() throws Exception {
        TokenSource source = shards(2000, 2000);
        Path go = Files.createFile(temp.resolve("go"));
        TokenStores other = new TokenStores(List.of(local), "other", 1);
        try (TokenStoreProcess process = TokenStoreProcess.start(local, RUN, output, go, "part-000-00001.parquet")) {
            assertThat(process.says()).isEqualTo("ready");
            assertThat(process.says()).isEqualTo("stopped");
            assertFails(ExitCode.TEMPORARY, () -> stores(1).open(source, Duration.ofMillis(200)))
                    .contains("another process has held its lock for 0 s (train.timeout_seconds)");
            other.open(source, LIMIT).close();
            assertThat(files()).as("what a process uses").contains("lock").hasSize(2);
            process.kill();
        }
        assertThat(files()).hasSize(2).last().asString().isEqualTo("lock");
        assertThat(files()).first().asString().startsWith(".unfinished-");
        try (TokenStore store = open(source)) {
            assertHoldsTheRowsOf(store, source);
            assertThat(files()).containsExactly(source.sha256() + ".tokens", "lock");
        }
    }

    @Test
    void whatADeadRunHasLeftIsRemovedByTheNext() throws Exception {
        TokenSource source = shards(200, 200);
        Path go = Files.createFile(temp.resolve("go"));
        try (TokenStoreProcess process = TokenStoreProcess.start(local, "dead", output, go, "part-000-00001.parquet")) {
            assertThat(process.says()).isEqualTo("ready");
            assertThat(process.says()).isEqualTo("stopped");
            process.kill();
        }
        assertThat(local.resolve("rar-tokens-dead")).isNotEmptyDirectory();
        Files.createDirectory(
                local.resolve("rar-tokens-without-a-lock"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        Files.createDirectory(local.resolve("rar-tokens-not-private"));
        try (TokenStore store = open(source)) {
            assertThat(local.resolve("rar-tokens-dead")).doesNotExist();
            assertThat(local.resolve("rar-tokens-without-a-lock")).doesNotExist();
            assertThat(local.resolve("rar-tokens-not-private")).exists();
            new TokenStores(List.of(local), "other", 1).open(source, LIMIT).close();
            assertThat(folder()).as("what this process uses").exists();
        }
        new TokenStores(List.of(local), "third", 1).open(source, LIMIT).close();
        assertThat(folder()).doesNotExist();
    }

    @Test
    void whoHasMappedAStoreKeepsItWhenTheRunRemovesIt() throws Exception {
        TokenSource source = shards(5, 5);
        try (TokenStore store = open(source)) {
            stores(1).remove();
            stores(1).remove();
            assertThat(local).isEmptyDirectory();
            assertHoldsTheRowsOf(store, source);
        }
        open(source).close();
        assertThat(folder()).exists();
    }

    @Test
    void theFirstDirectoryThatCanHoldItIsTaken() throws Exception {
        TokenSource source = shards(5);
        Path missing = temp.resolve("missing");
        Path second = Files.createDirectory(temp.resolve("second"));
        TokenStores stores = new TokenStores(List.of(missing, local, second), RUN, 1);
        stores.open(source, LIMIT).close();
        assertThat(folder()).exists();
        stores.remove();
        Files.createDirectory(
                second.resolve("rar-tokens-" + RUN),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        stores.open(source, LIMIT).close();
        assertThat(folder())
                .as("another executor of the run has taken the second")
                .doesNotExist();
        assertFails(ExitCode.UNAVAILABLE, () -> new TokenStores(List.of(missing), RUN, 1).open(source, LIMIT))
                .startsWith("Cannot build the token store: it takes 0.0 GB, and Spark's local directories have no room"
                        + " for it: " + missing + " (cannot be written); free some, or set spark.local.dir");
    }

    @Test
    @Tag("fault")
    void aDiskWithoutRoomIsRefusedAndOneThatFillsUpIsNamed() throws Exception {
        TokenSource source = shards(100_000, 100_000);
        try (SmallDisk disk = SmallDisk.mount(temp, 1 << 20)) {
            SparkConf conf =
                    new SparkConf(false).set("spark.local.dir", disk.path().toString());
            assertFails(ExitCode.UNAVAILABLE, () -> TokenStores.requireRoom(conf, source))
                    .contains(disk.path() + " (0.0 GB free); free some, or set spark.local.dir to a larger disk");
            disk.resize(6 << 20);
            TokenStores.requireRoom(conf, source);
            local = disk.path();
            fault = path -> {
                if (path.getName().equals("part-000-00001.parquet")) {
                    Files.write(disk.path().resolve("filler"), new byte[3 << 20], StandardOpenOption.CREATE);
                }
            };
            assertFails(ExitCode.UNAVAILABLE, () -> open(source))
                    .startsWith("Cannot write the token store " + folder())
                    .endsWith("No space left on device; free some space or set spark.local.dir to a larger disk");
            assertThat(files()).containsExactly("lock");
        }
    }
}
