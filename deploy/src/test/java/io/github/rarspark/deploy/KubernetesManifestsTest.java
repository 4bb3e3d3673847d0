package io.github.rarspark.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicy;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicyIngressRule;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicyPort;
import io.fabric8.kubernetes.api.model.rbac.RoleBinding;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.github.rarspark.common.testing.Processes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The manifests and the script of {@code deploy/kubernetes} agree with its settings, with each other and with the image. */
class KubernetesManifestsTest {
    private static final Path DEPLOY = Path.of("").toAbsolutePath();
    private static final String HOME = "/opt/rar-spark/";

    @TempDir
    private Path folder;

    private static PodSpec podOf(String file) throws IOException {
        Object manifest = KubernetesCluster.manifests(file).get(0);
        return manifest instanceof Job job ? job.getSpec().getTemplate().getSpec() : ((Pod) manifest).getSpec();
    }

    /** The namespace enforces the standard, so that pods which do not keep to it would be refused. */
    @ParameterizedTest
    @ValueSource(strings = {"driver-pod.yaml", "executor-pod.yaml", "submit-job.yaml"})
    void podsKeepToTheRestrictedStandardAndCannotChangeTheirImage(String file) throws Exception {
        PodSpec pod = podOf(file);
        assertThat(pod.getSecurityContext().getRunAsNonRoot()).isTrue();
        assertThat(pod.getSecurityContext().getSeccompProfile().getType()).isEqualTo("RuntimeDefault");
        // What Spark, the launcher and libtorch write to.
        Container container = pod.getContainers().get(0);
        assertThat(container.getVolumeMounts())
                .extracting(VolumeMount::getMountPath)
                .contains("/tmp", "/opt/spark/work-dir");
        assertThat(container.getVolumeMounts())
                .extracting(VolumeMount::getName)
                .containsExactlyInAnyOrderElementsOf(pod.getVolumes().stream()
                        .map(volume -> volume.getName())
                        .toList());
        assertThat(pod.getVolumes()).allMatch(volume -> volume.getEmptyDir() != null);
        assertThat(container.getSecurityContext().getReadOnlyRootFilesystem()).isTrue();
        assertThat(container.getSecurityContext().getAllowPrivilegeEscalation()).isFalse();
        assertThat(container.getSecurityContext().getCapabilities().getDrop()).containsExactly("ALL");
    }

    /** The image's Dockerfile makes the same user Spark's and the container's. */
    @Test
    void podsRunAsTheUserOfTheImage() throws Exception {
        assertThat(Files.readString(DEPLOY.resolve("docker/Dockerfile"))).contains("\nUSER 185\n");
        for (String file : List.of("driver-pod.yaml", "executor-pod.yaml", "submit-job.yaml")) {
            assertThat(podOf(file).getSecurityContext().getRunAsUser()).isEqualTo(185);
            assertThat(podOf(file).getSecurityContext().getFsGroup()).isEqualTo(185);
        }
    }

    @Test
    void theAccountsOfTheSettingsExistAndOnlyTheDriversHasRights() throws Exception {
        Map<String, String> settings = KubernetesCluster.file("spark.conf");
        List<String> accounts = List.of(
                settings.get("spark.kubernetes.authenticate.driver.serviceAccountName"),
                settings.get("spark.kubernetes.authenticate.executor.serviceAccountName"));
        List<Object> manifests = KubernetesCluster.manifests("cluster.yaml");
        assertThat(manifests)
                .filteredOn(ServiceAccount.class::isInstance)
                .extracting(account -> ((ServiceAccount) account).getMetadata().getName())
                .isEqualTo(accounts);
        assertThat(manifests)
                .filteredOn(RoleBinding.class::isInstance)
                .singleElement()
                .satisfies(binding -> assertThat(((RoleBinding) binding).getSubjects())
                        .singleElement()
                        .satisfies(subject -> assertThat(subject.getName()).isEqualTo(accounts.get(0))));
        assertThat(podOf("submit-job.yaml").getServiceAccountName()).isEqualTo(accounts.get(0));
        assertThat(podOf("executor-pod.yaml").getAutomountServiceAccountToken()).isFalse();
    }

    @Test
    void everythingIsInTheNamespaceOfTheSettings() throws Exception {
        String namespace = KubernetesCluster.file("spark.conf").get("spark.kubernetes.namespace");
        for (String file : List.of("cluster.yaml", "network-policy.yaml", "submit-job.yaml")) {
            String text = Files.readString(KubernetesCluster.MANIFESTS.resolve(file));
            assertThat(text.lines().filter(line -> line.strip().startsWith("namespace:")))
                    .isNotEmpty()
                    .allMatch(line -> line.strip().equals("namespace: " + namespace));
        }
    }

    @Test
    void thePolicyAdmitsAllTcpAmongPodsOfOneApplicationOnly() throws Exception {
        Map<String, String> settings = KubernetesCluster.file("spark.conf");
        String label = "label.rar-spark/application";
        assertThat(settings.get("spark.kubernetes.driver." + label))
                .isEqualTo(settings.get("spark.kubernetes.executor." + label));
        Map<String, String> labels = Map.of("rar-spark/application", settings.get("spark.kubernetes.driver." + label));
        NetworkPolicy policy = (NetworkPolicy)
                KubernetesCluster.manifests("network-policy.yaml").get(0);
        assertThat(policy.getSpec().getPolicyTypes()).containsExactly("Ingress");
        assertThat(policy.getSpec().getPodSelector().getMatchLabels()).isEqualTo(labels);
        assertThat(policy.getSpec().getIngress()).hasSize(1);
        NetworkPolicyIngressRule rule = policy.getSpec().getIngress().get(0);
        assertThat(rule.getFrom()).singleElement().satisfies(peer -> {
            assertThat(peer.getPodSelector().getMatchLabels()).isEqualTo(labels);
            assertThat(peer.getNamespaceSelector()).isNull();
            assertThat(peer.getIpBlock()).isNull();
        });
        assertThat(rule.getPorts()).singleElement().satisfies(port -> {
            assertThat(port).extracting(NetworkPolicyPort::getProtocol).isEqualTo("TCP");
            assertThat(port.getPort()).isNull();
        });
    }

    /** The image is not built in tests: this is what it takes from a distribution, and what runs in it. */
    @Test
    void theImageHasWhatItsPodsStart() throws Exception {
        String dockerfile = Files.readString(DEPLOY.resolve("docker/Dockerfile"));
        Map<String, String> copied = new java.util.TreeMap<>();
        dockerfile
                .lines()
                .filter(line -> line.startsWith("COPY ") && !line.contains("--from"))
                .forEach(line -> {
                    String[] words = line.split(" ");
                    copied.put(words[2], words[1]);
                });
        assertThat(copied)
                .containsEntry(HOME + "deploy", "deploy")
                .containsEntry(HOME + "bin", "bin")
                .containsEntry(HOME + "lib/rar-spark.jar", "lib/rar-spark.jar");
        assertThat(copied.values())
                .filteredOn(source -> !source.startsWith("lib/"))
                .allSatisfy(source -> assertThat(DEPLOY.resolveSibling(source)).exists());
        String command =
                podOf("submit-job.yaml").getContainers().get(0).getCommand().get(0);
        assertThat(command).startsWith(HOME + "deploy/");
        assertThat(DEPLOY.resolve(command.substring((HOME + "deploy/").length())))
                .isExecutable();
        assertThat(KubernetesCluster.file("gpu.conf"))
                .containsEntry("spark.executor.resource.gpu.vendor", "nvidia.com")
                .containsEntry("spark.executor.resource.gpu.discoveryScript", "/opt/libtorch/discover-gpus");
        assertThat(dockerfile).contains("install-libtorch /opt/libtorch\n");
    }

    // ---- submit ----

    /** What the script gives to bin/rar-spark, which is a fake here. */
    private List<String> submit(List<String> arguments, Map<String, String> environment) throws Exception {
        Path home = folder.resolve("rar spark");
        for (String file : List.of(
                "submit.sh",
                "sizes.tsv",
                "kubernetes/submit",
                "kubernetes/spark.conf",
                "kubernetes/gpu.conf",
                "kubernetes/driver-pod.yaml",
                "kubernetes/executor-pod.yaml")) {
            Path copy = home.resolve("deploy").resolve(file);
            if (!Files.exists(copy)) {
                Files.createDirectories(copy.getParent());
                Files.copy(DEPLOY.resolve(file), copy);
            }
        }
        Path launcher = home.resolve("bin/rar-spark");
        Files.createDirectories(launcher.getParent());
        Files.writeString(
                launcher,
                """
                #!/usr/bin/env bash
                printf 'argument %s\\n' "$@"
                echo "jar ${RAR_SPARK_JAR:-}"
                IFS=:
                for file in $RAR_SPARK_CONF; do
                  [[ -f $file ]] && grep '^spark' "$file"
                done
                """);
        Files.setPosixFilePermissions(launcher, PosixFilePermissions.fromString("rwxr-xr-x"));
        List<String> command =
                new ArrayList<>(List.of(home.resolve("deploy/kubernetes/submit").toString()));
        command.addAll(arguments);
        Path out = folder.resolve("out");
        ProcessBuilder process = new ProcessBuilder(command)
                .redirectOutput(out.toFile())
                .redirectError(folder.resolve("err").toFile());
        process.environment().putAll(environment);
        int code = Processes.exitCode(process.start(), Duration.ofSeconds(30));
        assertThat(Files.readString(folder.resolve("err"))).startsWith("submit: ");
        assertThat(code).isZero();
        return Files.readAllLines(out);
    }

    @Test
    void submitGivesTheTemplatesAndTheSettings() throws Exception {
        List<String> lines = submit(
                List.of("--master", "k8s://https://host:6443", "generate", "--recipe", "rar-b", "--device", "gpu"),
                Map.of());
        String there = "file://" + folder + "/rar%20spark/deploy/kubernetes/"; // Spark cannot read a path with a space
        assertThat(lines)
                .contains("jar ")
                .contains("argument generate", "argument k8s://https://host:6443")
                .contains("spark.kubernetes.driver.podTemplateFile " + there + "driver-pod.yaml")
                .contains("spark.kubernetes.executor.podTemplateFile " + there + "executor-pod.yaml")
                .contains("spark.executor.resource.gpu.vendor nvidia.com")
                .contains("spark.kubernetes.namespace rar-spark");
    }

    @ParameterizedTest
    @ValueSource(strings = {"--deploy-mode cluster", "--deploy-mode=cluster"})
    void inClusterModeTheJarIsTheImages(String mode) throws Exception {
        String jar = "jar local://" + HOME + "lib/rar-spark.jar";
        List<String> master = List.of("--master", "k8s://https://host:6443");
        List<String> job = List.of("fid", "--recipe", "rar-b");
        List<String> arguments = Stream.of(Stream.of(mode.split(" ")), master.stream(), job.stream())
                .flatMap(words -> words)
                .toList();
        assertThat(submit(arguments, Map.of())).contains(jar);
        List<String> without = Stream.concat(master.stream(), job.stream()).toList();
        assertThat(submit(without, Map.of("RAR_SPARK_SUBMIT_ARGS", "--conf spark.a=b " + mode)))
                .contains(jar);
        assertThat(submit(arguments, Map.of("RAR_SPARK_JAR", "s3a://bucket/rar-spark.jar")))
                .contains("jar s3a://bucket/rar-spark.jar");
    }

    @Test
    void theJobSubmits() throws Exception {
        Container container = podOf("submit-job.yaml").getContainers().get(0);
        assertThat(submit(container.getArgs(), Map.of()))
                .contains("argument train", "argument k8s://https://kubernetes.default.svc")
                .contains("spark.executor.instances 8", "jar local://" + HOME + "lib/rar-spark.jar");
        assertThat(Serialization.asYaml(container.getEnv()))
                .contains("spark.kubernetes.container.image=registry/rar-spark-gpu");
    }
}
