package io.github.rarspark.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.Failures;
import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.spark.SparkSessions;
import io.github.rarspark.common.testing.GatedFiles;
import io.github.rarspark.common.testing.LocalSpark;
import io.github.rarspark.common.testing.StandaloneCluster;
import io.github.rarspark.conf.Recipe;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerStageCompleted;
import org.apache.spark.scheduler.SparkListenerStageSubmitted;
import org.apache.spark.scheduler.SparkListenerTaskStart;
import org.apache.spark.sql.SparkSession;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Ranks are lost in the middle of a training on a Standalone cluster; the same job ends with the undisturbed bits. */
@Tag("clusters")
@Tag("fault")
@Timeout(1200)
class RankLossTest {
    private static final int STEPS = 160;
    private static final Duration LIMIT = Duration.ofSeconds(300);
    /** Enough steps for a fault to come before the last one. */
    private static final String[] LONGER = {
        "train.steps", Integer.toString(STEPS),
        "train.warmup_steps", "10",
        "train.anneal_start", "50",
        "train.anneal_end", "100",
        "train.checkpoint_every", "20",
        "train.log_every", "1",
        "train.step_timeout_seconds", "12"
    };

    /** The models of trainings on threads of this process, by the number of ranks. */
    private static final Map<Integer, byte[]> UNDISTURBED = new HashMap<>();

    @TempDir
    private Path folder;

    private final ExecutorService pool = Executors.newCachedThreadPool();
    private String tokens;
    private Path output;
    private StandaloneCluster cluster;
    private SparkSession session;
    private final Placement placement = new Placement();

    /** Which executors the ranks of the newest stage run on. */
    private static final class Placement extends SparkListener {
        private final Map<Integer, String> executors = new ConcurrentHashMap<>();
        private volatile int stage = -1;
        private volatile boolean failed;

        @Override
        public void onStageSubmitted(SparkListenerStageSubmitted submitted) {
            if (submitted.properties().getProperty("spark.job.description").startsWith("train ")) {
                stage = submitted.stageInfo().stageId();
                executors.clear();
            }
        }

        @Override
        public void onTaskStart(SparkListenerTaskStart start) {
            if (start.stageId() == stage) {
                executors.put(start.taskInfo().index(), start.taskInfo().executorId());
            }
        }

        @Override
        public void onStageCompleted(SparkListenerStageCompleted completed) {
            failed |= completed.stageInfo().stageId() == stage
                    && completed.stageInfo().failureReason().isDefined();
        }

        String executor(int rank) {
            Awaitility.await().atMost(LIMIT).until(() -> executors.containsKey(rank));
            return executors.get(rank);
        }

        boolean stageFailed() {
            return failed;
        }
    }

    @BeforeEach
    void start() throws IOException {
        tokens = Runs.tokens(folder);
        output = folder.resolve("run");
    }

    @AfterEach
    void stop() {
        pool.shutdownNow();
        if (cluster != null) {
            cluster.close();
        }
    }

    @Test
    void aRankIsKilledAndThenRankZeroOfThree() throws Exception {
        Future<JobResult> run = train(3);
        awaitCheckpointAfter(0);
        kill(executorOf(1));
        awaitCheckpointAfter(1);
        kill(executorOf(0));
        assertEndsLikeUndisturbed(run, 3, 2);
    }

    /** Those that replace them share the token stores of the ones before. */
    @Test
    void allRanksAreKilled() throws Exception {
        Future<JobResult> run = train(2);
        awaitCheckpointAfter(0);
        Map<Path, Object> stores = tokenStores();
        assertThat(stores).as("one for each worker").hasSize(2);
        List<ProcessHandle> executors = cluster.executors();
        assertThat(executors).hasSize(2);
        executors.forEach(RankLossTest::kill);
        awaitCheckpointAfter(1);
        assertThat(tokenStores()).isEqualTo(stores);
        run.get(LIMIT.toSeconds(), TimeUnit.SECONDS);
        assertThat(tokenStores()).isEmpty();
        assertEndsLikeUndisturbed(run, 2, 1);
    }

    /** The files of the token stores, each with what tells it from another of its name. */
    private Map<Path, Object> tokenStores() throws IOException {
        Map<Path, Object> stores = new HashMap<>();
        Files.walkFileTree(cluster.localDirectory(), new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                if (file.toString().endsWith(".tokens")) {
                    stores.put(file, attributes.fileKey());
                }
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException e) {
                return FileVisitResult.CONTINUE; // A directory of an executor that has ended.
            }
        });
        return stores;
    }

    /** Its task would keep the slot that the restart needs. */
    @Test
    void aRankThatStopsForGoodIsReplaced() throws Exception {
        Future<JobResult> run = train(2);
        awaitCheckpointAfter(0);
        ProcessHandle stopped = executorOf(0);
        signal(stopped, "STOP");
        awaitCheckpointAfter(1);
        Awaitility.await().atMost(LIMIT).until(() -> !stopped.isAlive());
        assertEndsLikeUndisturbed(run, 2, 1);
    }

    /** The second wait for its slots is the last: a scheduler may try again later. */
    @Test
    void aMachineThatIsNotReplacedEndsTheJobForNow() throws Exception {
        Future<JobResult> run = train(2, Map.of(), Map.of("spark.rar.spark.wait_seconds", "4"));
        awaitCheckpointAfter(0);
        cluster.loseWorker(0);
        assertThatThrownBy(() -> run.get(LIMIT.toSeconds(), TimeUnit.SECONDS))
                .cause()
                .hasMessageContaining("it needs 2 task slots at the same time, and 1 came within 4 s")
                .satisfies(failure -> assertThat(Failures.exitCode(failure)).isEqualTo(ExitCode.TEMPORARY));
        assertThat(cluster.executors()).hasSize(1);
    }

    @Test
    void aRankStopsAndContinuesAfterItWasGivenUp() throws Exception {
        Future<JobResult> run = train(2);
        awaitCheckpointAfter(0);
        ProcessHandle stopped = executorOf(1);
        signal(stopped, "STOP");
        Awaitility.await().atMost(LIMIT).until(placement::stageFailed);
        signal(stopped, "CONT");
        assertEndsLikeUndisturbed(run, 2, 1);
        Awaitility.await().atMost(LIMIT).until(() -> !stopped.isAlive());
        assertThat(events())
                .containsPattern("Rank 1 of 2 \\(executor \\d on 127\\.0\\.0\\.1\\) has been silent for 12 s");
    }

    @Test
    void aRankIsKilledWhileItWritesACheckpoint() throws Exception {
        Path gate = folder.resolve("gate");
        Future<JobResult> run = train(2, GatedFiles.closed(gate, "checkpoints/step-000000040-a1-r0"), Map.of());
        GatedFiles.awaitWriter(gate, run);
        String unfinished = "glob:**/step-000000040-a1-r0-*";
        assertThat(output.resolve(Checkpoints.FOLDER)).isDirectoryContaining(unfinished);
        kill(executorOf(0));
        awaitCheckpointAfter(1);
        assertThat(output.resolve(Checkpoints.FOLDER)).isDirectoryNotContaining(unfinished);
        assertEndsLikeUndisturbed(run, 2, 1);
    }

    /** What TensorBoard shows, as text. */
    private String events() throws IOException {
        StringBuilder text = new StringBuilder();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(output, "events.out.tfevents.*")) {
            for (Path file : files) {
                text.append(Files.readString(file, StandardCharsets.ISO_8859_1));
            }
        }
        return text.toString();
    }

    /** Trains with dropout on a cluster with as many workers as ranks. */
    private Future<JobResult> train(int ranks) throws Exception {
        return train(ranks, Map.of(), Map.of());
    }

    private Future<JobResult> train(int ranks, Map<String, String> hadoop, Map<String, String> spark) throws Exception {
        cluster = StandaloneCluster.start(folder.resolve("cluster"), ranks);
        Map<String, String> settings = new TreeMap<>(spark);
        hadoop.forEach((key, value) -> settings.put("spark.hadoop." + key, value));
        session = cluster.session(settings);
        session.sparkContext().addSparkListener(placement);
        SparkSessions.awaitSlots(session, ranks, LIMIT);
        Recipe recipe = recipe(ranks, output);
        return pool.submit(() -> TrainJob.run(JobContext.of(session, recipe, false)));
    }

    private Recipe recipe(int ranks, Path directory) {
        return Runs.recipe(
                tokens,
                directory,
                Stream.concat(
                                Stream.of(LONGER),
                                Stream.of("train.ranks", Integer.toString(ranks), "model.dropout", "0.1"))
                        .toArray(String[]::new));
    }

    private void assertEndsLikeUndisturbed(Future<JobResult> run, int ranks, long restarts) throws Exception {
        JobResult result = run.get(LIMIT.toSeconds(), TimeUnit.SECONDS);
        assertThat(result.counts()).containsEntry("restarts", restarts);
        session.close();
        if (!UNDISTURBED.containsKey(ranks)) {
            UNDISTURBED.put(ranks, undisturbed(ranks));
        }
        assertThat(Runs.model(output)).isEqualTo(UNDISTURBED.get(ranks));
        assertThat(Files.readAllLines(output.resolve(MetricsLog.NAME))).hasSize(STEPS);
    }

    private byte[] undisturbed(int ranks) throws Exception {
        Path directory = folder.resolve("undisturbed");
        try (SparkSession local = LocalSpark.start(ranks)) {
            TrainJob.run(JobContext.of(local, recipe(ranks, directory), true));
        }
        return Runs.model(directory);
    }

    /** Waits for a checkpoint of the ranks that were started by the given restart. */
    private void awaitCheckpointAfter(int restart) {
        Path last = output.resolve(Checkpoints.LAST);
        Awaitility.await()
                .atMost(LIMIT)
                // Hadoop's local file system, which GatedFiles is, replaces a file by deleting it first.
                .ignoreException(NoSuchFileException.class)
                .until(() -> Files.exists(last) && Files.readString(last).contains("-r" + restart + "-"));
    }

    private ProcessHandle executorOf(int rank) {
        return cluster.executor(placement.executor(rank));
    }

    private static void kill(ProcessHandle process) {
        assertThat(process.isAlive()).isTrue();
        assertThat(process.destroyForcibly()).isTrue();
        Awaitility.await().atMost(LIMIT).until(() -> !process.isAlive());
    }

    private static void signal(ProcessHandle process, String name) throws Exception {
        assertThat(process.isAlive()).isTrue();
        assertThat(new ProcessBuilder("kill", "-" + name, Long.toString(process.pid()))
                        .start()
                        .waitFor())
                .isZero();
    }
}
