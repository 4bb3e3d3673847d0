package io.github.rarspark.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.rarspark.cli.doctor.Doctor;
import io.github.rarspark.cli.doctor.DoctorReport;
import io.github.rarspark.cli.doctor.Finding;
import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.memory.Workload;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.Processes;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.Recipes;
import io.github.rarspark.deploy.Installation.Submission;
import io.github.rarspark.kernel.testing.FakeGpus;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.yarn.api.records.ApplicationReport;
import org.apache.hadoop.yarn.api.records.ContainerReport;
import org.apache.hadoop.yarn.api.records.FinalApplicationStatus;
import org.apache.hadoop.yarn.api.records.YarnApplicationState;
import org.apache.spark.sql.SparkSession;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Jobs that deploy/yarn/submit submits in cluster mode, through the launcher and Spark's own spark-submit. */
@Tag("clusters")
@Timeout(600)
class YarnSubmitTest {
    private static final Duration LIMIT = Duration.ofSeconds(180);

    @TempDir
    private static Path folder;

    private static FourJobs jobs;
    private static YarnCluster yarn;
    private static Installation installation;

    @RegisterExtension
    private final Processes processes = new Processes();

    @BeforeAll
    static void start() throws Exception {
        jobs = FourJobs.write(folder, folder.resolve("jobs").toUri().toString());
        yarn = YarnCluster.start(folder.resolve("yarn"));
        installation = Installation.ofClassPath(folder.resolve("rar spark"), "yarn");
        installation.environment().put("HADOOP_CONF_DIR", yarn.hadoopConf().toString());
    }

    @AfterAll
    static void stop() {
        if (yarn != null) {
            yarn.close();
        }
    }

    @Test
    void aDoneJobEndsWithZeroAfterItsContainersHadAGpu() throws Exception {
        Submission submission = submit("done", jobs.arguments("generate", weights("model.safetensors")));
        List<ContainerReport> containers = new ArrayList<>();
        Awaitility.await("executors").atMost(LIMIT).until(() -> {
            assertThat(submission.process().isAlive()).as("submission").isTrue();
            containers.clear();
            for (ApplicationReport running : yarn.applications(EnumSet.of(YarnApplicationState.RUNNING))) {
                containers.addAll(yarn.containers(running.getApplicationId().toString()));
            }
            return containers.size() == 1 + YarnCluster.NODES;
        });
        assertThat(containers).extracting(YarnCluster::gpus).containsExactly(0L, 1L, 1L);
        submission.assertEnds(0);
        JobResult result = jobs.result(new Storage(new Configuration()), "generate");
        assertThat(result.status()).isEqualTo(JobResult.Status.DONE);
        assertThat(result.device()).isEqualTo("gpu");
        assertThat(endOfNewest()).isEqualTo(FinalApplicationStatus.SUCCEEDED);
    }

    @Test
    void aFailingJobEndsWithItsCodeAndIsNotStartedAgain() throws Exception {
        FourJobs failing = jobs.into(folder.resolve("failing").toUri().toString());
        Submission submission = submit("failed", failing.arguments("generate", weights("missing.safetensors")));
        submission.assertEnds(66);
        assertThat(submission.console().lines())
                .filteredOn(line -> line.startsWith("rar-spark: "))
                .singleElement()
                .asString()
                .contains("missing.safetensors");
        assertThat(endOfNewest()).isEqualTo(FinalApplicationStatus.FAILED);
    }

    @Test
    void doctorFindsThatContainersLackTheirGpus() throws Exception {
        Path report = folder.resolve("doctor.json");
        List<String> arguments = List.of(
                "doctor",
                "--recipe",
                jobs.tiny().recipe().toUri().toString(),
                "--command",
                "generate",
                "--device",
                "gpu",
                "--output",
                folder.resolve("examined").toUri().toString(),
                "--json",
                report.toUri().toString());
        // Not the list of resource types.
        Map<String, String> otherFile =
                Map.of("spark.yarn.dist.files", jobs.tiny().recipe().toUri().toString());
        submit("doctor", arguments, otherFile).assertEnds(69);
        assertThat(new ObjectMapper().readTree(report.toFile()).get("findings"))
                .filteredOn(finding -> finding.get("check").asText().equals("gpus of containers"))
                .singleElement()
                .satisfies(finding -> {
                    assertThat(finding.get("status").asText()).isEqualTo("FAIL");
                    assertThat(finding.get("value").asText()).startsWith("yarn.io/gpu is no resource type");
                });
    }

    /** A driver in client mode knows GPUs from its own configuration, but the application master does not. */
    @Test
    void doctorFindsThatContainersOfADriverHereLackTheirGpus() throws Exception {
        Recipe recipe = Recipes.load("demo").with(Map.of("compute.device", "cpu"));
        try (SparkSession session = yarn.session(Doctor.SETTINGS)) {
            String output = folder.resolve("examined-here").toUri().toString();
            DoctorReport report = new Doctor(
                            JobContext.of(session, recipe, true), Workload.GENERATE, output, Clock.systemUTC())
                    .examine();
            assertThat(report.findings())
                    .filteredOn(one -> one.check().equals("gpus of containers"))
                    .extracting(Finding::value)
                    .containsExactly("2 of 2 containers have less than 1 yarn.io/gpu");
        }
    }

    private static String[] weights(String name) {
        return new String[] {
            "--device", "gpu", "--weights", folder.resolve(name).toUri().toString()
        };
    }

    private Submission submit(String name, List<String> arguments) throws IOException {
        return submit(name, arguments, Map.of());
    }

    private Submission submit(String name, List<String> arguments, Map<String, String> more) throws IOException {
        Map<String, String> settings = new TreeMap<>(yarn.settings());
        settings.put("spark.executor.extraJavaOptions", String.join(" ", FakeGpus.javaOptions()));
        settings.put("spark.driver.memory", "512m");
        settings.put("spark.driver.memoryOverhead", "512m");
        settings.putAll(more);
        List<String> words = new ArrayList<>(List.of("--deploy-mode", "cluster"));
        words.addAll(arguments);
        return installation.submit(processes, name, settings, words);
    }

    /** How the newest application ended, after one attempt. */
    private static FinalApplicationStatus endOfNewest() throws Exception {
        List<ApplicationReport> ended =
                yarn.applications(EnumSet.complementOf(EnumSet.of(YarnApplicationState.RUNNING)));
        ApplicationReport newest = ended.get(ended.size() - 1);
        assertThat(newest.getCurrentApplicationAttemptId().getAttemptId())
                .as("attempts")
                .isOne();
        return newest.getFinalApplicationStatus();
    }
}
