package io.github.rarspark.common.testing;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.spark.UnitTasks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.spark.sql.SparkSession;
import org.awaitility.Awaitility;

/** Executors of one task slot each that can be killed, and kept from being replaced. */
public final class FragileCluster implements AutoCloseable {
    private static final long LIMIT_SECONDS = 120;

    private final Path folder;
    private final SparkSession session;
    private final ExecutorService pool = Executors.newCachedThreadPool();

    private FragileCluster(Path folder, SparkSession session) {
        this.folder = folder;
        this.session = session;
    }

    /**
     * A cluster whose executors are there.
     *
     * @param folder for files of its own
     * @param settings of the session
     */
    public static FragileCluster start(Path folder, int executors, Map<String, String> settings) throws IOException {
        Files.writeString(arguments(folder), "");
        Map<String, String> all = new HashMap<>(Map.of(
                "spark.deploy.maxExecutorRetries",
                "-1",
                "spark.executor.extraJavaOptions",
                System.getProperty("rarspark.test.javaOptions") + " @" + arguments(folder)));
        all.putAll(settings);
        return new FragileCluster(folder, LocalCluster.start(executors, 1, all));
    }

    /** A cluster whose workers are too small for an executor, so none ever starts. */
    public static FragileCluster withoutExecutors(Path folder, Map<String, String> settings) {
        Map<String, String> all = new HashMap<>(settings);
        all.put("spark.executor.cores", "2");
        return new FragileCluster(folder, LocalCluster.open(1, 1, all));
    }

    private static Path arguments(Path folder) {
        return folder.resolve("executor.args");
    }

    /** The session. */
    public SparkSession session() {
        return session;
    }

    /** Work on the driver. */
    @FunctionalInterface
    public interface Work {
        /** Does it. */
        void run() throws Exception;
    }

    /** Does work on a thread of its own. */
    public Future<?> submit(Work work) {
        return pool.submit(() -> {
            work.run();
            return null;
        });
    }

    /** Starts tasks that occupy a slot each until they are {@linkplain #release released}. */
    public Future<?> occupy(Integer... units) {
        String marks = folder.toString();
        return submit(() -> UnitTasks.run(session, List.of(units), unit -> await(Path.of(marks), unit), result -> {}));
    }

    private static int await(Path folder, int unit) throws IOException {
        Path part = folder.resolve("part-" + unit);
        Files.writeString(part, Long.toString(ProcessHandle.current().pid()));
        Files.move(part, folder.resolve("pid-" + unit), StandardCopyOption.REPLACE_EXISTING);
        Awaitility.await()
                .atMost(LIMIT_SECONDS, TimeUnit.SECONDS)
                .until(() -> Files.exists(folder.resolve("release-" + unit)));
        return unit;
    }

    /** The executor that works on an occupying unit. */
    public ProcessHandle executor(int unit) throws IOException {
        Path pid = folder.resolve("pid-" + unit);
        Awaitility.await().atMost(LIMIT_SECONDS, TimeUnit.SECONDS).until(() -> Files.exists(pid));
        return ProcessHandle.of(Long.parseLong(Files.readString(pid))).orElseThrow();
    }

    /** Lets occupying units end. */
    public void release(int... units) throws IOException {
        for (int unit : units) {
            Files.writeString(folder.resolve("release-" + unit), "");
        }
    }

    /** Kills an executor; no other will take its place. */
    public void lose(ProcessHandle executor) throws IOException {
        // The JVM of a new executor takes the first word for its main class and ends.
        Files.writeString(arguments(folder), "NoSuchMain");
        assertThat(executor.destroyForcibly()).isTrue();
        Awaitility.await().atMost(LIMIT_SECONDS, TimeUnit.SECONDS).until(() -> !executor.isAlive());
    }

    /** What ends {@code job}. */
    public static Throwable failureOf(Future<?> job) throws InterruptedException {
        try {
            job.get(LIMIT_SECONDS, TimeUnit.SECONDS);
            throw new AssertionError("The job succeeded");
        } catch (TimeoutException e) {
            throw new AssertionError("The job does not end", e);
        } catch (ExecutionException e) {
            return e.getCause();
        }
    }

    @Override
    public void close() {
        pool.shutdownNow();
        session.close();
    }
}
