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
import io.github.rarspark.common.testing.Jvm;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.Recipes;
import io.github.rarspark.kernel.testing.FakeGpus;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarOutputStream;
import java.util.stream.Collectors;
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

    @BeforeAll
    static void start() throws Exception {
        jobs = FourJobs.write(folder, folder.resolve("jobs").toUri().toString());
        install();
        yarn = YarnCluster.start(folder.resolve("yarn"));
        Map<String, String> settings = new TreeMap<>(yarn.settings());
        settings.put("spark.executor.extraJavaOptions", String.join(" ", FakeGpus.javaOptions()));
        settings.put("spark.driver.memory", "512m");
        settings.put("spark.driver.memoryOverhead", "512m");
        Files.writeString(
                folder.resolve("cluster.conf"),
                settings.entrySet().stream()
                        .map(setting -> setting.getKey() + " " + setting.getValue() + "\n")
                        .collect(Collectors.joining()));
    }

    @AfterAll
    static void stop() {
        if (yarn != null) {
            yarn.close();
        }
    }

    /** An installation whose job jar is empty, because the cluster's class path has the jobs, and a Spark. */
    private static void install() throws IOException {
        for (String file : List.of(
                "bin/rar-spark",
                "deploy/submit.sh",
                "deploy/sizes.tsv",
                "deploy/gpu/libtorch.env",
                "deploy/yarn/submit",
                "deploy/yarn/spark.conf",
                "deploy/yarn/resource-types.xml")) {
            Path copy = folder.resolve("rar spark").resolve(file);
            Files.createDirectories(copy.getParent());
            Files.copy(Path.of("..").resolve(file), copy);
        }
        Path jar = folder.resolve("rar spark/lib/rar-spark.jar");
        Files.createDirectories(jar.getParent());
        new JarOutputStream(Files.newOutputStream(jar)).close();
        Path submit = folder.resolve("spark/bin/spark-submit");
        Files.createDirectories(submit.getParent());
        Files.writeString(
                submit,
                """
                #!/bin/sh
                exec "$JAVA_HOME/bin/java" -Xmx512m %s -cp "$HADOOP_CONF_DIR:%s" org.apache.spark.deploy.SparkSubmit "$@"
                """
                        .formatted(Jvm.options().trim(), Jvm.classPath()));
        Files.setPosixFilePermissions(submit, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    @Test
    void aDoneJobEndsWithZeroAfterItsContainersHadAGpu() throws Exception {
        Process submission = submit("done", jobs.arguments("generate", weights("model.safetensors")));
        List<ContainerReport> containers = new ArrayList<>();
        Awaitility.await("executors").atMost(LIMIT).until(() -> {
            assertThat(submission.isAlive()).as("submission").isTrue();
            containers.clear();
            for (ApplicationReport running : yarn.applications(EnumSet.of(YarnApplicationState.RUNNING))) {
                containers.addAll(yarn.containers(running.getApplicationId().toString()));
            }
            return containers.size() == 1 + YarnCluster.NODES;
        });
        assertThat(containers).extracting(YarnCluster::gpus).containsExactly(0L, 1L, 1L);
        assertThat(exitCode(submission)).as("%s", Files.readString(err("done"))).isZero();
        JobResult result = jobs.result(new Storage(new Configuration()), "generate");
        assertThat(result.status()).isEqualTo(JobResult.Status.DONE);
        assertThat(result.device()).isEqualTo("gpu");
        assertThat(endOfNewest()).isEqualTo(FinalApplicationStatus.SUCCEEDED);
    }

    @Test
    void aFailingJobEndsWithItsCodeAndIsNotStartedAgain() throws Exception {
        FourJobs failing = jobs.into(folder.resolve("failing").toUri().toString());
        Process submission = submit("failed", failing.arguments("generate", weights("missing.safetensors")));
        assertThat(exitCode(submission))
                .as("%s", Files.readString(err("failed")))
                .isEqualTo(66);
        assertThat(Files.readAllLines(err("failed")))
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
        Process submission = submit("doctor", arguments, "--conf spark.yarn.dist.files=");
        assertThat(exitCode(submission))
                .as("%s", Files.readString(err("doctor")))
                .isEqualTo(69);
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

    private static Process submit(String name, List<String> arguments) throws IOException {
        return submit(name, arguments, "");
    }

    private static Process submit(String name, List<String> arguments, String sparkOptions) throws IOException {
        List<String> command = new ArrayList<>(
                List.of(folder.resolve("rar spark/deploy/yarn/submit").toString(), "--deploy-mode", "cluster"));
        command.addAll(arguments);
        ProcessBuilder submit = new ProcessBuilder(command)
                .redirectOutput(folder.resolve(name + ".out").toFile())
                .redirectError(err(name).toFile());
        submit.environment().put("JAVA_HOME", System.getProperty("java.home"));
        submit.environment().put("SPARK_HOME", folder.resolve("spark").toString());
        submit.environment().put("HADOOP_CONF_DIR", yarn.hadoopConf().toString());
        submit.environment()
                .put("RAR_SPARK_CONF", folder.resolve("cluster.conf").toString());
        submit.environment().put("RAR_SPARK_SUBMIT_ARGS", sparkOptions);
        return submit.start();
    }

    private static Path err(String name) {
        return folder.resolve(name + ".err");
    }

    private static int exitCode(Process submission) throws InterruptedException {
        assertThat(submission.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS))
                .as("ends")
                .isTrue();
        return submission.exitValue();
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
