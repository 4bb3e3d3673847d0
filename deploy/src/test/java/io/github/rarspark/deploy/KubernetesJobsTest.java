package io.github.rarspark.deploy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.SecurityContext;
import io.fabric8.kubernetes.api.model.Toleration;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.github.rarspark.common.spark.SparkSessions;
import io.github.rarspark.common.storage.Storage;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The four jobs through Spark's own scheduler for Kubernetes, with the settings and pod templates of
 * {@code deploy/kubernetes}: two executors, each a pod with a GPU.
 */
@Tag("clusters")
@Timeout(600)
class KubernetesJobsTest {
    @TempDir
    private static Path folder;

    private static KubernetesCluster cluster;
    private static SparkSession session;
    private static FourJobs jobs;
    private static Map<String, String> expected;

    @BeforeAll
    static void start() throws Exception {
        jobs = FourJobs.write(folder, folder.resolve("outputs").toUri().toString());
        expected = jobs.expected(folder);
        cluster = KubernetesCluster.start(folder.resolve("cluster"), 2);
        session = cluster.session();
    }

    /** Executors end with their driver. */
    @AfterAll
    static void stop() throws Exception {
        try (KubernetesCluster ending = cluster) {
            session.close();
            ending.kubelet().awaitNone();
            ending.assertRoleSuffices();
        }
    }

    @Test
    @Tag("fault")
    void anExecutorIsKilledInTheTrainingAndAllEndsLikeUndisturbed() throws Exception {
        ExecutorLoss loss = new ExecutorLoss(folder.resolve("gate"));
        Configuration hadoop = SparkSessions.context(session).hadoopConfiguration();
        Map<String, String> gate = new TreeMap<>();
        loss.settings().forEach((key, value) -> gate.put(key.substring("spark.hadoop.".length()), value));
        gate.forEach(hadoop::set);
        try {
            loss.during(jobs, session, cluster::executorProcesses);
        } finally {
            gate.keySet().forEach(hadoop::unset);
        }
        assertThat(jobs.contents(new Storage(new Configuration()))).isEqualTo(expected);
    }

    /** Each pod sees one of the node's two, which the discovery script finds there, and ranks meet at the pods' addresses. */
    @Test
    void theFourJobsOnGpus() throws Exception {
        FourJobs onGpus = jobs.into(folder.resolve("on-gpus").toUri().toString());
        onGpus.run(session, Map.of("compute.device", "gpu"));
        for (String command : FourJobs.COMMANDS) {
            assertThat(onGpus.result(new Storage(new Configuration()), command).device())
                    .isEqualTo("gpu");
        }
        List<Pod> executors = cluster.executors();
        assertThat(executors).hasSize(2);
        for (Pod executor : executors) {
            assertThat(cluster.kubelet().log(executor)).contains("GPU 0 of 1 is ", "\"host\":\"127.0.2.");
        }
    }

    @Test
    void executorsHaveWhatTheirTemplateGives() {
        assertThat(cluster.executors()).hasSize(2).allSatisfy(pod -> {
            assertThat(pod.getMetadata().getLabels())
                    .containsEntry("spark-role", "executor")
                    .containsEntry("rar-spark/application", "default");
            PodSpec spec = pod.getSpec();
            assertThat(spec.getServiceAccountName()).isEqualTo("rar-spark-executor");
            assertThat(spec.getAutomountServiceAccountToken()).isFalse();
            assertThat(spec.getSecurityContext().getRunAsNonRoot()).isTrue();
            assertThat(spec.getSecurityContext().getRunAsUser()).isEqualTo(185);
            assertThat(spec.getTolerations())
                    .extracting(Toleration::getKey, Toleration::getOperator, Toleration::getEffect)
                    .containsExactly(tuple("nvidia.com/gpu", "Exists", "NoSchedule"));
            Container container = Kubelet.container(pod);
            assertThat(container.getImage()).isEqualTo(KubernetesCluster.IMAGE);
            assertThat(container.getResources().getLimits())
                    .containsEntry(Kubelet.GPU, new Quantity("1"))
                    .containsEntry("memory", new Quantity("896Mi"));
            SecurityContext security = container.getSecurityContext();
            assertThat(security.getReadOnlyRootFilesystem()).isTrue();
            assertThat(security.getAllowPrivilegeEscalation()).isFalse();
            assertThat(security.getCapabilities().getDrop()).containsExactly("ALL");
            assertThat(container.getVolumeMounts())
                    .extracting(VolumeMount::getMountPath)
                    .containsExactlyInAnyOrder(
                            "/scratch", "/opt/spark/work-dir", "/tmp", "/dev/shm", "/opt/spark/conf");
            assertThat(spec.getVolumes())
                    .filteredOn(volume -> volume.getName().equals("shm"))
                    .extracting(volume -> volume.getEmptyDir().getMedium())
                    .containsExactly("Memory");
            assertThat(container.getEnv())
                    .filteredOn(variable -> variable.getName().equals("SPARK_LOCAL_DIRS"))
                    .extracting(EnvVar::getValue)
                    .containsExactly("/scratch");
        });
    }
}
