package io.github.rarspark.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.github.rarspark.common.testing.Processes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The manifests, and the pods that Spark makes of the templates, follow the schemas of an old and a new Kubernetes. */
@Tag("distribution")
class KubernetesSchemasTest {
    private static final Duration LIMIT = Duration.ofSeconds(120);

    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"1.29", "1.37"})
    void manifestsFollowTheSchemas(String version) throws Exception {
        List<String> files;
        try (Stream<Path> manifests = Files.list(KubernetesCluster.MANIFESTS)) {
            files = manifests
                    .map(Path::toString)
                    .filter(file -> file.endsWith(".yaml"))
                    .sorted()
                    .toList();
        }
        assertThat(files).hasSize(5);
        validate(version, files);
    }

    /** On a node without GPUs they stay pending. */
    @Test
    void podsOfExecutorsFollowTheSchemas() throws Exception {
        try (KubernetesCluster cluster = KubernetesCluster.start(folder.resolve("cluster"), 0)) {
            cluster.open();
            Awaitility.await()
                    .atMost(LIMIT)
                    .until(() -> cluster.kubelet().stored("executor").size() == 2);
            List<String> files = new ArrayList<>();
            for (Pod pod : cluster.kubelet().stored("executor")) {
                Path file = folder.resolve(pod.getMetadata().getName() + ".yaml");
                files.add(Files.writeString(file, Serialization.asYaml(pod)).toString());
            }
            validate("1.29", files);
            validate("1.37", files);
        }
    }

    @Test
    void hadolintFindsNothingInTheDockerfile() throws Exception {
        run(List.of(
                PythonEnvironment.of("spark").program("hadolint").toString(),
                Path.of("docker/Dockerfile").toAbsolutePath().toString()));
    }

    private void validate(String version, List<String> files) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                PythonEnvironment.of("spark").program("kubernetes-validate").toString(),
                "--strict",
                "--quiet",
                "--kubernetes-version",
                version));
        command.addAll(files);
        run(command);
    }

    /** Runs a program that prints what is wrong. */
    private void run(List<String> command) throws IOException, InterruptedException {
        Path report = folder.resolve("report");
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(report.toFile())
                .start();
        int code = Processes.exitCode(process, LIMIT);
        assertThat(report).content().isEmpty();
        assertThat(code).isZero();
    }
}
