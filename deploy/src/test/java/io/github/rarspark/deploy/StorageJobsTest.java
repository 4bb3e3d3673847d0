package io.github.rarspark.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.storage.Secrets;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.storage.StoredFile;
import io.github.rarspark.common.testing.Hdfs;
import io.github.rarspark.common.testing.Jvm;
import io.github.rarspark.common.testing.LocalCluster;
import io.github.rarspark.common.testing.S3Interceptor.Fault;
import io.github.rarspark.common.testing.S3Request;
import io.github.rarspark.common.testing.S3Server;
import io.github.rarspark.tokenize.TokenizeJob;
import io.github.rarspark.train.TrainJob;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.commons.lang3.StringUtils;
import org.apache.spark.sql.SparkSession;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The four jobs on one bucket, and on HDFS, with executors as processes. */
@Tag("clusters")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(600)
class StorageJobsTest {
    /** Of other buckets, which no request needs. */
    private static final Map<String, String> MORE_SECRETS = Map.of(
            "fs.s3a.bucket.other.session.token", "token-" + UUID.randomUUID(),
            "fs.s3a.bucket.other.encryption.key", "encryption-" + UUID.randomUUID());

    private Path folder;
    private DriverLog log;
    private S3Bucket bucket;
    private SparkSession session;
    private Storage storage;
    private FourJobs jobs;
    private Map<String, String> inputs;
    private Map<String, String> expected;
    private List<S3Request> requests;

    @BeforeAll
    void runUndisturbed(@TempDir Path temp) throws Exception {
        folder = temp;
        jobs = FourJobs.write(Files.createDirectory(folder.resolve("inputs")), S3Server.uri("undisturbed"));
        expected = jobs.expected(folder);
        log = DriverLog.to(folder.resolve("driver.log"));
        bucket = S3Bucket.start();
        Path log4j = Files.writeString(folder.resolve("log4j2.properties"), WireTrace.LOG4J2);
        Map<String, String> settings = new TreeMap<>(bucket.settings());
        MORE_SECRETS.forEach((name, value) -> settings.put("spark.hadoop." + name, value));
        Hdfs.CLIENT_SETTINGS.forEach((name, value) -> settings.put("spark.hadoop." + name, value));
        settings.put("spark.redaction.regex", Secrets.SPARK_REDACTION);
        settings.put("spark.executor.memory", "768m");
        settings.put("spark.executor.extraJavaOptions", Jvm.options() + " -Dlog4j2.configurationFile=" + log4j);
        settings.put("spark.eventLog.enabled", "true");
        settings.put(
                "spark.eventLog.dir",
                Files.createDirectory(folder.resolve("events")).toUri().toString());
        // What is compressed cannot be searched.
        settings.put("spark.eventLog.compress", "false");
        settings.put("spark.broadcast.compress", "false");
        session = LocalCluster.start(2, 1, settings);
        storage = S3Bucket.storage(session);
        inputs = jobs.upload(storage, S3Server.uri("inputs"));
        bucket.wire().forget();
        jobs.run(session, inputs);
        requests = bucket.wire().requests();
    }

    @AfterAll
    void stop() throws Exception {
        List<ProcessHandle> executors = LocalCluster.executors();
        session.close();
        bucket.close();
        log.close();
        Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> executors.stream()
                .noneMatch(ProcessHandle::isAlive));
    }

    @BeforeEach
    void forgetFaults() {
        bucket.wire().failWhere(request -> Optional.empty());
        bucket.wire().forget();
    }

    @Test
    void theBucketHasWhatLocalFilesHave() throws Exception {
        assertThat(jobs.contents(storage)).isEqualTo(expected);
    }

    @Test
    void hdfsHasWhatLocalFilesHave() throws Exception {
        try (Hdfs hdfs = Hdfs.start(folder.resolve("hdfs"))) {
            FourJobs there = jobs.into(hdfs.uri("jobs"));
            there.run(session, there.upload(storage, hdfs.uri("inputs")));
            assertThat(there.contents(storage)).isEqualTo(expected);
            assertThat(storage.temporaries(there.root())).isEmpty();
        }
    }

    /** Object stores imitate renames by copies, and the policy allows none. */
    @Test
    void nothingIsRenamed() {
        assertThat(requests)
                .extracting(S3Request::operation)
                .isSubsetOf(S3FilesTest.ACTIONS.keySet())
                .contains("PutObject", "GetObject");
        assertThat(requests)
                .filteredOn(request -> request.operation().equals("PutObject"))
                .extracting(S3Request::key)
                .hasSizeGreaterThan(20)
                .noneMatch(key -> key.contains("_temporary") || key.contains("._rar-") || key.endsWith("/"));
    }

    @Test
    void refusedBrokenAndResetRequestsAreRetried() throws Exception {
        AtomicInteger number = new AtomicInteger();
        List<Fault> kinds =
                List.of(Fault.SLOW_DOWN, Fault.INTERNAL_ERROR, Fault.RESET_BEFORE, Fault.RESET_AFTER, Fault.CUT);
        bucket.wire().failWhere(request -> {
            int n = number.incrementAndGet();
            return n % 11 == 0 ? Optional.of(kinds.get(n / 11 % kinds.size())) : Optional.empty();
        });
        FourJobs disturbed = jobs.into(S3Server.uri("disturbed"));
        Map<String, String> fewCheckpoints = new TreeMap<>(inputs);
        fewCheckpoints.put("train.checkpoint_every", "10");
        disturbed.run(session, fewCheckpoints);
        assertThat(disturbed.contents(storage)).isEqualTo(expected);
        assertThat(kinds)
                .allSatisfy(kind -> assertThat(bucket.wire().with(kind)).hasSizeGreaterThan(5));
    }

    @Test
    @Tag("fault")
    void anUploadThatAnExecutorDoesNotFinishIsInvisible() throws Exception {
        FourJobs killed = jobs.into(S3Server.uri("killed"));
        killExecutorsWhileUploading("killed/tokenize/part-", () -> TokenizeJob.run(killed.context(session, inputs)));
        killExecutorsWhileUploading(
                "killed/train/checkpoints/step-", () -> TrainJob.run(killed.context(session, inputs)));
        assertThat(killed.result(storage, "train").counts()).containsEntry("restarts", 1L);
        killed.run(session, inputs);
        assertThat(killed.contents(storage)).isEqualTo(expected);
    }

    private interface Job {
        void run() throws Exception;
    }

    private void killExecutorsWhileUploading(String key, Job job) throws Exception {
        bucket.wire().forget();
        bucket.wire()
                .failOnce(
                        Fault.STALL,
                        request -> request.operation().equals("PutObject")
                                && request.key().startsWith(key));
        ExecutorService pool = Executors.newSingleThreadExecutor();
        try {
            Future<?> running = pool.submit(() -> {
                job.run();
                return null;
            });
            Awaitility.await()
                    .atMost(Duration.ofSeconds(120))
                    .until(() ->
                            running.isDone() || !bucket.wire().with(Fault.STALL).isEmpty());
            List<ProcessHandle> executors = LocalCluster.executors();
            assertThat(executors).hasSize(2).allMatch(ProcessHandle::isAlive);
            executors.forEach(ProcessHandle::destroyForcibly);
            Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> executors.stream()
                    .noneMatch(ProcessHandle::isAlive));
            String unfinished =
                    S3Server.uri(bucket.wire().with(Fault.STALL).get(0).key());
            assertThat(storage.exists(unfinished)).as(unfinished).isFalse();
            running.get(240, TimeUnit.SECONDS);
        } finally {
            pool.shutdownNow();
        }
    }

    /**
     * Executors get the secrets once each, in Spark's configuration. No task, no log, no plan, no result has one.
     */
    @Test
    void secretsAreNowhereButInSparksConfiguration() throws Exception {
        Map<String, String> secrets = new TreeMap<>(MORE_SECRETS);
        secrets.put("fs.s3a.access.key", bucket.server().key());
        secrets.put("fs.s3a.secret.key", bucket.server().secret());

        List<Path> executorLogs = files(Path.of(
                System.getenv("SPARK_HOME"), "work", session.sparkContext().applicationId()));
        List<Path> stderrs =
                executorLogs.stream().filter(file -> file.endsWith("stderr")).toList();
        StringBuilder received = new StringBuilder();
        for (Path stderr : stderrs) {
            WireTrace.read(stderr).forEach(received::append);
        }
        String everyTask = received.toString();
        assertThat(everyTask).as("what executors received").contains("TokenizeTask", "RankAssignment", "FeatureTask");
        assertThat(secrets).allSatisfy((name, value) -> assertThat(StringUtils.countMatches(everyTask, value))
                .as("times that executors received the value of %s", name)
                .isEqualTo(stderrs.size()));

        List<Path> events = files(folder.resolve("events"));
        assertThat(events).hasSize(1).first().satisfies(file -> assertThat(Files.readString(file))
                .contains(secrets.keySet()));
        assertThat(folder.resolve("driver.log")).content().contains("SparkContext");
        Map<String, String> everything = new TreeMap<>();
        for (Path file : Stream.of(events, executorLogs, List.of(folder.resolve("driver.log")))
                .flatMap(List::stream)
                .toList()) {
            everything.put(file.toString(), Files.readString(file, StandardCharsets.ISO_8859_1));
        }
        for (StoredFile object : storage.walk(S3Server.uri(""))) {
            everything.put(object.path(), new String(storage.readBytes(object.path()), StandardCharsets.ISO_8859_1));
        }
        assertThat(everything).hasSizeGreaterThan(200);
        assertThat(everything)
                .allSatisfy((name, content) -> assertThat(content).as(name).doesNotContain(secrets.values()));
    }

    private static List<Path> files(Path directory) throws Exception {
        try (Stream<Path> all = Files.walk(directory)) {
            return all.filter(Files::isRegularFile).collect(Collectors.toCollection(ArrayList::new));
        }
    }
}
