package io.github.rarspark.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.GatedFiles;
import io.github.rarspark.common.testing.Processes;
import io.github.rarspark.deploy.Installation.Submission;
import io.github.rarspark.kernel.testing.FakeGpus;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.awaitility.Awaitility;
import org.hamcrest.Matcher;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** The job jar on a Standalone cluster of Spark's own distribution, with {@code deploy/standalone/submit}. */
@Tag("clusters")
@Tag("distribution")
@Timeout(900)
class StandaloneDistributionTest {
    private static final Storage STORAGE = new Storage(new Configuration());

    @TempDir
    private static Path folder;

    /** Jobs that threads of this process have run undisturbed. */
    private static FourJobs done;

    private static Map<String, String> expected;
    private static SparkDistribution cluster;

    @RegisterExtension
    private final Processes processes = new Processes();

    @BeforeAll
    static void start() throws Exception {
        FourJobs jobs = FourJobs.write(folder, "unused:/");
        expected = jobs.expected(folder);
        done = jobs.into(folder.resolve("expected").toUri().toString());
        cluster = SparkDistribution.start(folder.resolve("cluster"));
    }

    @AfterAll
    static void stop() {
        if (cluster != null) {
            cluster.close();
        }
    }

    /** The worker is lost in the middle of the training; meanwhile a second driver is told that the first is at work. */
    @Test
    @Tag("fault")
    void clientModeWithTheLossOfAWorker() throws Exception {
        FourJobs jobs = done.into(folder.resolve("client").toUri().toString());
        assertDone(jobs, "client", "tokenize");

        ExecutorLoss loss = new ExecutorLoss(folder.resolve("gate"));
        Map<String, String> settings = loss.settings();
        String gate = gate();
        settings.put("spark.driver.extraClassPath", gate);
        settings.put("spark.executor.extraClassPath", gate);
        Submission train = submit("client-train", settings, words(jobs, "client", "train"));
        try {
            loseWorker(jobs, loss, train);
        } finally {
            cluster.addWorker("");
        }

        assertDone(jobs, "client", "generate");
        assertDone(jobs, "client", "fid");
        assertThat(jobs.contents(STORAGE)).isEqualTo(expected);
    }

    private void loseWorker(FourJobs jobs, ExecutorLoss loss, Submission train) throws Exception {
        Awaitility.await("a checkpoint")
                .atMost(ExecutorLoss.LIMIT)
                .until(() -> Files.exists(loss.gate()) || !train.process().isAlive());
        assertThat(loss.gate()).exists();
        assertThat(cluster.executors(0)).hasSize(1);
        assertThat(cluster.executors(1)).hasSize(1);
        Submission second = submit("second", Map.of(), words(jobs, "client", "train"));
        second.assertEnds(ExitCode.TEMPORARY.number());
        assertThat(second.console()).contains("is working on it");
        cluster.loseWorker(1);
        Files.deleteIfExists(loss.gate());
        train.assertEnds(0);
        assertThat(jobs.result(STORAGE, "train").counts()).containsEntry("restarts", 1L);
    }

    @Test
    void clusterMode() throws Exception {
        FourJobs jobs = done.into(folder.resolve("in-cluster").toUri().toString());
        for (String command : FourJobs.COMMANDS) {
            assertDone(jobs, "cluster", command);
        }
        assertThat(jobs.contents(STORAGE)).isEqualTo(expected);
    }

    /** Its workers find them with the discovery script; they are emulated. */
    @Test
    void aTrainingOnTheGpusOfTheWorkers() throws Exception {
        FourJobs jobs = done.into(folder.resolve("on-gpus").toUri().toString());
        List<String> words = words(jobs, "client", "train");
        words.addAll(List.of("--device", "gpu", "--tokens", done.output("tokenize")));
        Map<String, String> settings =
                Map.of("spark.executor.extraJavaOptions", String.join(" ", FakeGpus.javaOptions()));
        submit("on-gpus", settings, words).assertEnds(0);
        assertThat(jobs.result(STORAGE, "train").device()).isEqualTo("gpu");
        assertThat(cluster.events("on-gpus").stream()
                        .filter(event -> event.contains("SparkListenerExecutorAdded"))
                        .map(event -> event.replaceAll(".*\"addresses\":(\\[.*?]).*", "$1")))
                .containsExactlyInAnyOrder("[\"0\"]", "[\"1\"]");
    }

    /** Spark's own exit code does not tell them. */
    @Test
    void theExitCodeOfADriverInTheCluster() throws Exception {
        List<String> missing = words(done.into(folder.resolve("none").toUri().toString()), "cluster", "train");
        List<String> other = words(done, "cluster", "tokenize");
        other.addAll(List.of("--set", "tokenize.shard_images=40"));
        // At the same time, because spark-submit looks for the end of a driver every ten seconds.
        Submission first = submit("missing", Map.of(), missing);
        Submission second = submit("other", Map.of(), other);
        first.assertEnds(ExitCode.NO_INPUT.number());
        second.assertEnds(ExitCode.OUTPUT_EXISTS.number());
    }

    private void assertDone(FourJobs jobs, String mode, String command) throws Exception {
        Submission run = submit(mode + "-" + command, Map.of(), words(jobs, mode, command));
        run.assertEnds(0);
        assertThat(run.console()).contains("submit: " + command + " of demo on CPUs, 2 executors");
    }

    private Submission submit(String name, Map<String, String> settings, List<String> words) throws Exception {
        return cluster.submit(processes, name, settings, words);
    }

    /** What follows {@code submit} for a command with two executors. */
    private static List<String> words(FourJobs jobs, String mode, String command) {
        List<String> words = new ArrayList<>(List.of("--deploy-mode", mode, "--executors", "2"));
        words.addAll(jobs.arguments(command));
        return words;
    }

    /** A class path with what {@link ExecutorLoss} has executors do. */
    private static String gate() throws IOException {
        Path classes = folder.resolve("gate-classes");
        for (String name : List.of("GatedFiles", "GatedFiles$Gated")) {
            String file = "io/github/rarspark/common/testing/" + name + ".class";
            Path copy = classes.resolve(file);
            Files.createDirectories(copy.getParent());
            try (InputStream compiled = GatedFiles.class.getClassLoader().getResourceAsStream(file)) {
                Files.copy(compiled, copy);
            }
        }
        return Stream.concat(
                        Stream.of(classes),
                        Stream.of(Awaitility.class, Matcher.class).map(StandaloneDistributionTest::jar))
                .map(Path::toString)
                .collect(Collectors.joining(":"));
    }

    private static Path jar(Class<?> type) {
        return Path.of(type.getProtectionDomain().getCodeSource().getLocation().getPath());
    }
}
