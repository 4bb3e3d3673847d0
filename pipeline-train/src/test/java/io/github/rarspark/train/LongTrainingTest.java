package io.github.rarspark.train;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.testing.Jvm;
import io.github.rarspark.common.testing.StandaloneCluster;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.kernel.tensor.Handles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A tiny model trains for 10,000 steps on a Standalone cluster, with a checkpoint every 100. A rank is lost
 * after every 1,000 of the first 4,000; the rest is one stage, to see what a stage frees only at its end. What the driver,
 * the executor that is never killed and the checkpoints take stays the same.
 */
@Tag("soak")
@Timeout(3600)
class LongTrainingTest {
    private static final int STEPS = 10_000;
    private static final int RESTARTS = 4;
    private static final int STEPS_PER_RESTART = 1_000;
    private static final int KEPT = 3;
    private static final int HEAP_MEBIBYTES = 512;
    private static final Duration LIMIT = Duration.ofMinutes(20);

    @TempDir
    private Path folder;

    private final ExecutorService pool = Executors.newCachedThreadPool();
    private StandaloneCluster cluster;
    private Path output;

    /**
     * What a training takes at a step.
     *
     * @param resident bytes of the surviving executor, without mapped files; its whole heap is resident
     * @param files that the surviving executor has open
     * @param threads of the surviving executor, without a pool of Spark's that grows to its limit
     * @param driverHeap bytes of the driver's heap that are in use after a collection
     * @param disk bytes of the checkpoints
     */
    private record Sample(long step, long resident, long files, long threads, long driverHeap, long disk) {
        long offHeap() {
            return resident - HEAP_MEBIBYTES * (1L << 20);
        }
    }

    @AfterEach
    void stop() {
        pool.shutdownNow();
        if (cluster != null) {
            cluster.close();
        }
    }

    @Test
    void resourcesStayTheSame() throws Exception {
        output = folder.resolve("run");
        Recipe recipe = recipe();
        cluster = StandaloneCluster.start(folder.resolve("cluster"), 2);
        SparkSession session = session();
        Future<JobResult> run = pool.submit(() -> TrainJob.run(JobContext.of(session, recipe, false)));
        awaitStep(100, run);
        ProcessHandle survivor = executorsByAge().get(0);
        List<Sample> samples = new ArrayList<>();
        for (int restart = 1; restart <= RESTARTS; restart++) {
            int step = restart * STEPS_PER_RESTART;
            samples.add(least(survivor, step - 600, run));
            awaitStep(step, run);
            kill(executorsByAge().get(1));
        }
        samples.add(least(survivor, RESTARTS * STEPS_PER_RESTART + 400, run));
        samples.add(least(survivor, STEPS - 600, run));
        assertThat(run.get(LIMIT.toSeconds(), TimeUnit.SECONDS).counts()).containsEntry("restarts", (long) RESTARTS);
        samples.forEach(System.out::println);
        assertThat(survivor.isAlive()).isTrue();
        assertThat(liveHandles(session)).hasSize(2).allSatisfy((executor, live) -> assertThat(live)
                .isZero());
        // The first restart loads classes that the beginning did not need.
        Sample afterOneRestart = samples.get(1);
        Sample afterAllRestarts = samples.get(RESTARTS);
        Sample end = samples.get(RESTARTS + 1);
        assertThat((double) end.resident()).isLessThan(1.05 * afterOneRestart.resident());
        assertThat((double) end.offHeap()).isLessThan(1.03 * afterAllRestarts.offHeap());
        assertThat((double) end.driverHeap()).isLessThan(1.05 * afterOneRestart.driverHeap());
        assertThat((double) end.disk()).isLessThan(1.05 * afterOneRestart.disk());
        try (Stream<Path> kept = Files.list(checkpoints())) {
            assertThat(kept.filter(Files::isDirectory)).hasSize(KEPT);
        }
        // Rank 0 has a few more than rank 1.
        assertThat(end.files()).isLessThanOrEqualTo(afterOneRestart.files() + 8);
        assertThat(end.threads()).isLessThanOrEqualTo(afterOneRestart.threads() + 4);
    }

    /** The least of three samples, 200 steps apart. */
    private Sample least(ProcessHandle executor, int firstStep, Future<?> run) throws IOException {
        List<Sample> samples = new ArrayList<>();
        for (int step = firstStep; step <= firstStep + 400; step += 200) {
            awaitStep(step, run);
            samples.add(sample(executor));
        }
        return new Sample(
                firstStep,
                least(samples, Sample::resident),
                least(samples, Sample::files),
                least(samples, Sample::threads),
                least(samples, Sample::driverHeap),
                least(samples, Sample::disk));
    }

    private static long least(List<Sample> samples, ToLongFunction<Sample> value) {
        return samples.stream().mapToLong(value).min().orElseThrow();
    }

    private Recipe recipe() throws IOException {
        return Runs.recipe(
                Runs.tokens(folder),
                output,
                "train.steps",
                Integer.toString(STEPS),
                "train.warmup_steps",
                "100",
                "train.anneal_start",
                Integer.toString(STEPS / 2),
                "train.anneal_end",
                Integer.toString(STEPS * 3 / 4),
                "train.checkpoint_every",
                "100",
                "train.keep_last",
                Integer.toString(KEPT),
                "train.log_every",
                "100",
                "model.dropout",
                "0.1");
    }

    /** The executors' heap has its full size from the start, so that only other memory can grow. */
    private SparkSession session() {
        return cluster.session(Map.of(
                "spark.executor.memory",
                HEAP_MEBIBYTES + "m",
                "spark.executor.extraJavaOptions",
                Jvm.options() + " -XX:+AlwaysPreTouch -Xms" + HEAP_MEBIBYTES + "m"));
    }

    private void awaitStep(int step, Future<?> run) {
        Awaitility.await("step " + step)
                .atMost(LIMIT)
                .pollInterval(Duration.ofMillis(200))
                .until(() -> {
                    assertThat(run).isNotDone();
                    return newestCheckpoint() >= step;
                });
    }

    private long newestCheckpoint() throws IOException {
        Path last = output.resolve(Checkpoints.LAST);
        return Files.exists(last) ? Long.parseLong(Files.readString(last).split("-")[1]) : 0;
    }

    private List<ProcessHandle> executorsByAge() {
        Awaitility.await().atMost(LIMIT).until(() -> cluster.executors().size() == 2);
        return cluster.executors().stream()
                .sorted(Comparator.comparing(
                        executor -> executor.info().startInstant().orElse(Instant.MAX)))
                .toList();
    }

    private static void kill(ProcessHandle process) {
        assertThat(process.isAlive()).isTrue();
        assertThat(process.destroyForcibly()).isTrue();
        Awaitility.await().atMost(LIMIT).until(() -> !process.isAlive());
    }

    private Sample sample(ProcessHandle executor) throws IOException {
        Path process = Path.of("/proc", Long.toString(executor.pid()));
        Path status = process.resolve("status");
        try (Stream<Path> files = Files.list(process.resolve("fd"));
                Stream<Path> threads = Files.list(process.resolve("task"))) {
            System.gc();
            return new Sample(
                    newestCheckpoint(),
                    number(status, "RssAnon:") * 1024,
                    files.count(),
                    threads.filter(thread -> !name(thread).startsWith("block-manager"))
                            .count(),
                    ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed(),
                    bytes(checkpoints()));
        }
    }

    private Path checkpoints() {
        return output.resolve(Checkpoints.LAST).getParent();
    }

    private static long bytes(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.mapToLong(file -> file.toFile().length()).sum(); // 0 of one that has just been deleted
        } catch (UncheckedIOException e) {
            return Long.MAX_VALUE; // a folder has just been deleted
        }
    }

    private static String name(Path thread) {
        try {
            return Files.readString(thread.resolve("comm"));
        } catch (IOException e) {
            return "ended";
        }
    }

    private static long number(Path status, String key) throws IOException {
        String line = Files.readAllLines(status).stream()
                .filter(entry -> entry.startsWith(key))
                .findFirst()
                .orElseThrow();
        return Long.parseLong(line.replaceAll("\\D", ""));
    }

    /** The native objects that are open in each executor. */
    private static Map<String, Long> liveHandles(SparkSession session) {
        return JavaSparkContext.fromSparkContext(session.sparkContext())
                .parallelize(List.of(0, 1, 2, 3, 4, 5, 6, 7), 8)
                .mapToPair(i -> {
                    Thread.sleep(200); // so that no executor takes all
                    return new scala.Tuple2<>(SparkEnv.get().executorId(), Handles.live());
                })
                .collectAsMap();
    }
}
