package io.github.rarspark.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.Jvm;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarOutputStream;
import java.util.stream.Collectors;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Jobs that {@code deploy/kubernetes/submit} submits in cluster mode, through the launcher and Spark's own spark-submit: it
 * makes a pod for the driver, which makes those for its executors.
 */
@Tag("clusters")
@Timeout(600)
class KubernetesSubmitTest {
    private static final long LIMIT_SECONDS = 240;
    private static final String NAME = "test/name";

    @TempDir
    private static Path folder;

    private static KubernetesCluster cluster;
    private static FourJobs jobs;

    @BeforeAll
    static void start() throws Exception {
        jobs = FourJobs.write(folder, folder.resolve("outputs").toUri().toString());
        install();
        cluster = KubernetesCluster.start(folder.resolve("cluster"), 2);
    }

    @AfterAll
    static void stop() throws Exception {
        try (KubernetesCluster ending = cluster) {
            ending.assertRoleSuffices();
        }
    }

    /**
     * An installation whose job jar is empty, as is the image's, because the jobs are on the class path of the pods; and a
     * Spark.
     */
    private static void install() throws IOException {
        for (String file : List.of(
                "bin/rar-spark",
                "deploy/submit.sh",
                "deploy/sizes.tsv",
                "deploy/gpu/libtorch.env",
                "deploy/kubernetes/submit",
                "deploy/kubernetes/spark.conf",
                "deploy/kubernetes/gpu.conf",
                "deploy/kubernetes/driver-pod.yaml",
                "deploy/kubernetes/executor-pod.yaml")) {
            Path copy = folder.resolve("rar spark").resolve(file);
            Files.createDirectories(copy.getParent());
            Files.copy(Path.of("..").resolve(file), copy);
        }
        for (Path jar : List.of(folder.resolve("rar spark/cli/target/rar-spark.jar"), imageJar())) {
            Files.createDirectories(jar.getParent());
            new JarOutputStream(Files.newOutputStream(jar)).close();
        }
        Path submit = folder.resolve("spark/bin/spark-submit");
        Files.createDirectories(submit.getParent());
        Files.writeString(
                submit,
                """
                #!/bin/sh
                exec "$JAVA_HOME/bin/java" -Xmx512m %s -cp '%s' org.apache.spark.deploy.SparkSubmit "$@"
                """
                        .formatted(Jvm.options().trim(), Jvm.classPath()));
        Files.setPosixFilePermissions(submit, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private static Path imageJar() {
        return folder.resolve("image/rar-spark.jar");
    }

    @Test
    void aDriverInAPodHasItsExecutorsTokenizeOnGpus() throws Exception {
        assertThat(submit("done", "tokenize", "--device", "gpu"))
                .as(() -> console("done"))
                .isZero();
        JobResult result = jobs.result(new Storage(new Configuration()), "tokenize");
        assertThat(result.status()).isEqualTo(JobResult.Status.DONE);
        assertThat(result.device()).isEqualTo("gpu");
        Pod driver = driver("done");
        assertThat(driver.getStatus().getPhase()).isEqualTo("Succeeded");
        assertThat(driver.getMetadata().getLabels()).containsEntry("rar-spark/application", "default");
        assertThat(driver.getSpec().getServiceAccountName()).isEqualTo("rar-spark");
        assertThat(driver.getSpec().getTerminationGracePeriodSeconds()).isEqualTo(120);
        assertThat(driver.getSpec().getSecurityContext().getRunAsNonRoot()).isTrue();
        Container container = Kubelet.container(driver);
        assertThat(container.getSecurityContext().getReadOnlyRootFilesystem()).isTrue();
        assertThat(container.getVolumeMounts())
                .extracting(VolumeMount::getMountPath)
                .contains("/scratch", "/opt/spark/work-dir", "/tmp");
        cluster.kubelet().awaitNone();
    }

    @Test
    void aFailedDriversCodeIsThatOfItsContainerAndOfTheSubmission() throws Exception {
        int missing = ExitCode.NO_INPUT.number();
        assertThat(submit(
                        "failed",
                        "fid",
                        "--device",
                        "gpu",
                        "--samples",
                        folder.resolve("none").toString()))
                .as(() -> console("failed"))
                .isEqualTo(missing);
        assertThat(Kubelet.exitCode(driver("failed"))).isEqualTo(missing);
        assertThat(Files.readAllLines(err("failed")))
                .filteredOn(line -> line.startsWith("rar-spark: "))
                .singleElement()
                .asString()
                .contains("none");
        cluster.kubelet().awaitNone();
    }

    /** The pod of the driver of a submission. */
    private static Pod driver(String name) {
        return cluster.drivers().stream()
                .filter(pod -> name.equals(pod.getMetadata().getLabels().get(NAME)))
                .findFirst()
                .orElseThrow();
    }

    private static Path err(String name) {
        return folder.resolve(name + ".err");
    }

    private static String console(String name) {
        try {
            return Files.readString(err(name));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Submits a command, and returns the exit code. */
    private static int submit(String name, String command, String... options) throws Exception {
        Map<String, String> settings = new TreeMap<>(cluster.ownSettings());
        settings.put("spark.kubernetes.driver.master", cluster.api().url());
        settings.put("spark.kubernetes.driver.label." + NAME, name);
        Path conf = Files.writeString(
                folder.resolve(name + ".conf"),
                settings.entrySet().stream()
                        .map(setting -> setting.getKey() + " " + setting.getValue() + "\n")
                        .collect(Collectors.joining()));
        List<String> words = new ArrayList<>();
        words.add(folder.resolve("rar spark/deploy/kubernetes/submit").toString());
        words.addAll(List.of(
                "--deploy-mode", "cluster", "--master", "k8s://" + cluster.api().url()));
        words.addAll(jobs.arguments(command, options));
        ProcessBuilder submission = new ProcessBuilder(words)
                .redirectOutput(folder.resolve(name + ".out").toFile())
                .redirectError(err(name).toFile());
        Map<String, String> environment = submission.environment();
        environment.keySet().removeIf(variable -> variable.startsWith("SPARK_"));
        environment.put("JAVA_HOME", System.getProperty("java.home"));
        environment.put("SPARK_HOME", folder.resolve("spark").toString());
        environment.put("RAR_SPARK_CONF", conf.toString());
        environment.put("RAR_SPARK_JAR", "local://" + imageJar());
        Process process = submission.start();
        try {
            assertThat(process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS))
                    .as("submission ends")
                    .isTrue();
            return process.exitValue();
        } finally {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
    }
}
