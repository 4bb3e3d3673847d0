package io.github.rarspark.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.Processes;
import io.github.rarspark.deploy.Installation.Submission;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/**
 * Jobs that {@code deploy/kubernetes/submit} submits in cluster mode, through the launcher and Spark's own spark-submit: it
 * makes a pod for the driver, which makes those for its executors.
 */
@Tag("clusters")
@Timeout(600)
class KubernetesSubmitTest {
    private static final String NAME = "test/name";

    @TempDir
    private static Path folder;

    private static KubernetesCluster cluster;
    private static FourJobs jobs;
    private static Installation installation;

    @RegisterExtension
    private final Processes processes = new Processes();

    @BeforeAll
    static void start() throws Exception {
        jobs = FourJobs.write(folder, folder.resolve("outputs").toUri().toString());
        installation = Installation.ofClassPath(folder.resolve("rar spark"), "kubernetes");
        Path image = Files.createDirectory(folder.resolve("image"));
        installation
                .environment()
                .put("RAR_SPARK_JAR", "local://" + Installation.emptyJar(image.resolve("rar-spark.jar")));
        cluster = KubernetesCluster.start(folder.resolve("cluster"), 2);
    }

    @AfterAll
    static void stop() throws Exception {
        try (KubernetesCluster ending = cluster) {
            ending.assertRoleSuffices();
        }
    }

    @Test
    void aDriverInAPodHasItsExecutorsTokenizeOnGpus() throws Exception {
        submit("done", "tokenize", "--device", "gpu").assertEnds(0);
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
        Submission submission = submit(
                "failed",
                "fid",
                "--device",
                "gpu",
                "--samples",
                folder.resolve("none").toString());
        submission.assertEnds(missing);
        assertThat(Kubelet.exitCode(driver("failed"))).isEqualTo(missing);
        assertThat(submission.console().lines())
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

    private Submission submit(String name, String command, String... options) throws Exception {
        Map<String, String> settings = new TreeMap<>(cluster.ownSettings());
        settings.put("spark.kubernetes.driver.master", cluster.api().url());
        settings.put("spark.kubernetes.driver.label." + NAME, name);
        List<String> words = new ArrayList<>(List.of(
                "--deploy-mode", "cluster", "--master", "k8s://" + cluster.api().url()));
        words.addAll(jobs.arguments(command, options));
        return installation.submit(processes, name, settings, words);
    }
}
