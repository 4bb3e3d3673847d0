package io.github.rarspark.train;

import static io.github.rarspark.common.testing.JobAssert.assertFails;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.Failures;
import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.run.Plan;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.Claims;
import io.github.rarspark.common.testing.FaultyFiles;
import io.github.rarspark.common.testing.LocalSpark;
import io.github.rarspark.common.testing.SmallDisk;
import io.github.rarspark.kernel.error.NativeMemoryException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.apache.spark.sql.SparkSession;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a training says when it fails, and what it goes on from. */
@Timeout(300)
class TrainJobFailuresTest {
    /** Makes a checkpoint too long for the space that small files leave. */
    private static final String[] LARGER = {"model.hidden", "128", "model.mlp", "256"};

    @TempDir
    Path folder;

    private SparkSession session;
    private String tokens;

    @BeforeEach
    void start() throws IOException {
        session = LocalSpark.start(2);
        tokens = Runs.tokens(folder);
    }

    @AfterEach
    void stop() {
        session.close();
    }

    private JobResult train(Path output, String... keysAndValues) throws IOException {
        return TrainJob.run(JobContext.of(session, Runs.recipe(tokens, output, keysAndValues), true));
    }

    private static Path checkpoint(Path output, String prefix) throws IOException {
        return checkpoints(output, prefix).get(0);
    }

    private static List<Path> checkpoints(Path output, String prefix) throws IOException {
        try (Stream<Path> names = Files.list(output.resolve("checkpoints"))) {
            return names.filter(path -> path.getFileName().toString().startsWith(prefix))
                    .toList();
        }
    }

    @Test
    void aRunGoesOnFromTheNewestWholeCheckpointWhateverLastSays() throws IOException {
        Path output = folder.resolve("run");
        train(output);
        byte[] trained = Runs.model(output);
        Files.delete(output.resolve("result.json"));
        Files.delete(output.resolve("model.safetensors"));
        Files.delete(output.resolve("checkpoints/LAST"));
        Path damaged = checkpoint(output, "step-000000012-a1");
        byte[] moments = Files.readAllBytes(damaged.resolve("optimizer.safetensors"));
        moments[moments.length - 1] ^= 1;
        Files.write(damaged.resolve("optimizer.safetensors"), moments);

        JobResult result = train(output);
        assertThat(result.warnings())
                .singleElement()
                .asString()
                .contains(damaged.getFileName() + " is corrupt (optimizer.safetensors does not match its checksum);"
                        + " training resumed from step 8");
        assertThat(checkpoints(output, "step-000000004-a2")).isEmpty();
        assertThat(checkpoints(output, "step-000000008-a2")).isEmpty();
        assertThat(Runs.model(output)).isEqualTo(trained);
        assertThat(Files.readString(output.resolve("checkpoints/LAST"))).startsWith("step-000000012-a2");
        assertThat(Files.readAllLines(output.resolve(MetricsLog.NAME))).hasSize(12);
    }

    /** The rate rises from 0, so the first step leaves the weights as they are and the third cannot. */
    @Test
    void aGradientThatIsNotFiniteIsMendedByWhatItsMessageAdvises() throws IOException {
        Path output = folder.resolve("run");
        String[] wild = {
            "train.lr", "1e30", "train.warmup_steps", "8", "train.checkpoint_every", "1", "train.max_skips", "0"
        };
        assertFails(ExitCode.DATA, () -> train(output, wild))
                .contains("is not finite", "lower train.lr, in a new --output", output + "/checkpoints/step-");
        assertFails(ExitCode.OUTPUT_EXISTS, () -> train(output));

        Path before = checkpoint(output, "step-000000001-a1").resolve("model.safetensors");
        JobResult result = train(folder.resolve("again"), "train.init", before.toString());
        assertThat(result.status()).isEqualTo(JobResult.Status.DONE);
        assertThat(result.metrics().get("loss")).isFinite();
    }

    @Test
    void aRunThatRanOutOfMemoryIsFinishedByWhatItsMessageAdvises() throws IOException {
        Path output = folder.resolve("run");
        train(output);
        for (String published : List.of("result.json", "model.safetensors", "checkpoints/LAST")) {
            Files.delete(output.resolve(published));
        }
        for (String later : List.of("step-000000008-a1", "step-000000012-a1")) {
            Files.delete(checkpoint(output, later).resolve("manifest.json"));
        }
        runOutOfMemory(output);

        JobResult result = train(output, "train.micro_batch", "1");
        assertThat(result.status()).isEqualTo(JobResult.Status.DONE);
        assertThat(checkpoints(output, "step-000000004-a3"))
                .as("resumed from the first attempt's")
                .isEmpty();
        assertThat(Files.readString(output.resolve("checkpoints/LAST"))).startsWith("step-000000012-a3");
        assertThat(output.resolve("recipe.yaml")).content().contains("micro_batch: 1\n");
        assertThat(Files.readAllLines(output.resolve(MetricsLog.NAME))).hasSize(12);
    }

    /** Another attempt at the same run, which ends as a rank without memory ends it. */
    private void runOutOfMemory(Path output) throws IOException {
        JobContext context = JobContext.of(session, Runs.recipe(tokens, output), true);
        Plan plan = Plan.of(
                "train",
                context.recipe().resultSettings("model", "train", "compute"),
                TrainInputs.open(context.storage(), context.recipe(), notice -> {})
                        .sha256(),
                Map.of());
        NativeMemoryException failure = new NativeMemoryException("8 bytes").lowering("train.micro_batch");
        try (OutputClaim claim = Claims.claim(context.storage(), output.toUri().toString(), plan)) {
            claim.fail(Instant.now(), failure);
        }
        assertThat(Failures.exitCode(failure)).isEqualTo(ExitCode.UNAVAILABLE);
    }

    @Test
    @Tag("fault")
    void aDiskThatIsFullAtACheckpointIsNamedAndTheRunGoesOnOnceThereIsRoom() throws Exception {
        Path whole = folder.resolve("whole");
        train(whole, LARGER);
        long checkpoint = bytes(checkpoint(whole, "step-000000004-a1"));
        try (SmallDisk disk = SmallDisk.mount(folder, checkpoint * 8 / 5)) {
            Path output = disk.path().resolve("run");
            String[] once = Stream.concat(Stream.of(LARGER), Stream.of("train.max_restarts", "0"))
                    .toArray(String[]::new);
            assertFails(ExitCode.UNAVAILABLE, () -> train(output, once))
                    .matches("Cannot write file:" + output
                            + "/checkpoints/step-000000008-a1-r0-.*: no space is left on the"
                            + " device or in the quota; free some or choose another place, then run again");
            disk.resize(checkpoint * 8);
            train(output, LARGER);
            assertThat(checkpoints(output, "step-000000004-a2")).isEmpty();
            assertThat(Runs.model(output)).isEqualTo(Runs.model(whole));
        }
    }

    @Test
    @Tag("fault")
    void aDiskThatIsFullAtACheckpointAndFreedLaterCostsOnlyRestarts() throws Exception {
        Path whole = folder.resolve("whole");
        train(whole, LARGER);
        long checkpoint = bytes(checkpoint(whole, "step-000000004-a1"));
        ExecutorService pool = Executors.newSingleThreadExecutor();
        try (SmallDisk disk = SmallDisk.mount(folder, checkpoint * 8 / 5)) {
            Path output = disk.path().resolve("run");
            Future<JobResult> run = pool.submit(() -> train(output, LARGER));
            Awaitility.await("a restart")
                    .atMost(Duration.ofSeconds(120))
                    .until(() -> run.isDone()
                            || Files.isDirectory(output.resolve("checkpoints"))
                                    && !checkpoints(output, "step-000000008-a1-r1")
                                            .isEmpty());
            assertThat(run).isNotDone();
            disk.resize(checkpoint * 8);
            assertThat(run.get(120, TimeUnit.SECONDS).counts().get("restarts")).isPositive();
            assertThat(Runs.model(output)).isEqualTo(Runs.model(whole));
        } finally {
            pool.shutdownNow();
        }
    }

    /** The driver cannot publish a checkpoint, nor check its claim before the first restart. */
    @Test
    @Tag("fault")
    void aStorageThatDoesNotAnswerForAWhileCostsOnlyRestarts() throws Exception {
        Path whole = folder.resolve("whole");
        train(whole);
        Path output = folder.resolve("run");
        AtomicInteger refused = new AtomicInteger();
        AtomicBoolean read = new AtomicBoolean();
        Storage there = new Storage(FaultyFiles.with(path -> {
            if (path.getName().equals("_plan.json")
                    && Files.exists(output.resolve("checkpoints/LAST"))
                    && refused.get() < 4) {
                refused.incrementAndGet();
                throw new IOException("Connection reset");
            }
            // A task opens it to check the checkpoint that the ranks resume from.
            if (path.getName().equals("optimizer.safetensors") && !read.getAndSet(true)) {
                throw new IOException("Connection reset");
            }
        }));
        JobResult result = TrainJob.run(new JobContext(session, there, Runs.recipe(tokens, output), true));
        assertThat(refused).hasValue(4);
        assertThat(read).isTrue();
        assertThat(result.counts().get("restarts")).isGreaterThanOrEqualTo(1);
        assertThat(Runs.model(output)).isEqualTo(Runs.model(whole));
    }

    @Test
    @Tag("fault")
    void aDiskWithoutRoomForACheckpointIsRefusedBeforeTheStart() throws Exception {
        try (SmallDisk disk = SmallDisk.mount(folder, 3 << 20)) {
            Path output = disk.path().resolve("run");
            assertFails(ExitCode.UNAVAILABLE, () -> train(output, LARGER))
                    .contains(" MB or more, and 3.1 MB are free there");
            assertThat(output.resolve("recipe.yaml")).doesNotExist();
        }
    }

    private static long bytes(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(Files::isRegularFile)
                    .mapToLong(file -> file.toFile().length())
                    .sum();
        }
    }

    /** Starts another session, with one more setting. */
    private void restart(String key, String value) {
        session.close();
        session = SparkSession.builder()
                .master("local[2]")
                .appName("restarted")
                .config("spark.ui.enabled", "false")
                .config("spark.driver.host", "127.0.0.1")
                .config("spark.driver.bindAddress", "127.0.0.1")
                .config(key, value)
                .getOrCreate();
    }

    /** As in a configuration that was written for shuffles. */
    @Test
    void aDefaultParallelismBelowTheNumberOfRanksIsNoLackOfSlots() throws IOException {
        restart("spark.default.parallelism", "1");
        assertThat(train(folder.resolve("run")).status()).isEqualTo(JobResult.Status.DONE);
    }

    @Test
    void theTokenStoreGoesWhenTheRunEndsHoweverItEnds() throws IOException {
        Path local = Files.createDirectory(folder.resolve("local"));
        restart("spark.local.dir", local.toString());
        train(folder.resolve("run"));
        assertThat(local).isDirectoryNotContaining("glob:**/rar-tokens-*");
        assertFails(ExitCode.DATA, () -> train(folder.resolve("wild"), "train.lr", "1e30", "train.max_skips", "0"));
        assertThat(local).isDirectoryNotContaining("glob:**/rar-tokens-*");
    }

    @Test
    @Tag("fault")
    void aLocalDirectoryWithoutRoomForTheTokensIsRefusedBeforeTheOutputIsClaimed() throws Exception {
        try (SmallDisk disk = SmallDisk.mount(folder, 1 << 20)) {
            restart("spark.local.dir", disk.path().toString());
            Files.write(disk.path().resolve("filler"), new byte[(1 << 20) - (4 << 12)]);
            tokens = manyTokens();
            Path output = folder.resolve("run");
            assertFails(ExitCode.UNAVAILABLE, () -> train(output))
                    .startsWith("Cannot build the token store: it takes ")
                    .contains(disk.path().toString())
                    .endsWith("; free some, or set spark.local.dir to a larger disk");
            assertThat(output).doesNotExist();
        }
    }

    /** The same 50 rows again and again, more than 16 KiB when stored. */
    private String manyTokens() throws IOException {
        Path lines = folder.resolve("many.jsonl");
        Files.writeString(
                lines, Files.readString(folder.resolve("tokens.jsonl")).repeat(20));
        return lines.toUri().toString();
    }

    @Test
    void aDriverThatRanksCannotReachIsNamed() {
        session.close();
        session = SparkSession.builder()
                .master("local[2]")
                .appName("unreachable")
                .config("spark.ui.enabled", "false")
                .config("spark.driver.host", "127.0.0.2")
                .config("spark.driver.bindAddress", "127.0.0.1")
                .getOrCreate();
        assertFails(ExitCode.UNAVAILABLE, () -> train(folder.resolve("run")))
                .matches("Cannot reach the driver at 127\\.0\\.0\\.2:\\d+ to report to it \\(Connection refused\\);"
                        + " allow executors to connect to all ports of spark.driver.host");
    }

    @Test
    void whatCannotFitIntoTheMachineIsRefusedBeforeTheOutputIsClaimed() {
        Path output = folder.resolve("run");
        assertFails(ExitCode.UNAVAILABLE, () -> train(output, "train.batch", "1200000000"))
                .startsWith("Cannot train: 2 ranks")
                .endsWith("lower train.micro_batch or set train.activation_checkpointing=true");
        assertThat(output).doesNotExist();
    }
}
