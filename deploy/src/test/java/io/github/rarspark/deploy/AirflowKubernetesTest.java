package io.github.rarspark.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Pod;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.storage.Json;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.Processes;
import io.github.rarspark.deploy.Airflow.DagRun;
import io.github.rarspark.deploy.Airflow.Ended;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** The DAG for Kubernetes, whose first task submits to a cluster and watches the driver's pod; the others are left out. */
@Tag("clusters")
@Tag("distribution")
@Timeout(600)
class AirflowKubernetesTest {
    private static final String DAG = "rar_spark_kubernetes";

    @RegisterExtension
    private static final Processes PROCESSES = new Processes();

    @TempDir
    private static Path folder;

    private static KubernetesCluster cluster;
    private static Airflow airflow;
    private static FourJobs jobs;

    @BeforeAll
    static void start() throws Exception {
        jobs = FourJobs.write(
                Files.createDirectory(folder.resolve("inputs")),
                folder.resolve("runs").toUri().toString());
        cluster = KubernetesCluster.start(folder.resolve("cluster"), 2);
        String server = cluster.api().url();
        Path access = folder.resolve("kubeconfig.json"); // which is YAML as well
        Files.write(
                access,
                Json.pretty(Map.of(
                        "current-context", "test",
                        "contexts", List.of(Map.of("name", "test", "context", Map.of("cluster", "test"))),
                        "clusters", List.of(Map.of("name", "test", "cluster", Map.of("server", server))))));
        airflow = Airflow.create(
                PROCESSES,
                folder.resolve("airflow"),
                "SPARK_KUBERNETES",
                "k8s://" + server,
                Map.of(
                        "AIRFLOW__KUBERNETES_EXECUTOR__IN_CLUSTER",
                        "False",
                        "AIRFLOW__KUBERNETES_EXECUTOR__CONFIG_FILE",
                        access.toString()));
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    /** Runs the DAG to the end of its first task; the run has its outputs in a folder of its name. */
    private static Ended tokenize(String name, String date, String images) throws Exception {
        // The image is the class path of the test.
        Path jar = Installation.emptyJar(folder.resolve("empty.jar"));
        Map<String, String> spark = new HashMap<>(cluster.ownSettings());
        spark.put("spark.kubernetes.driver.master", cluster.api().url());
        Map<String, Object> params = Airflow.params(jobs, Map.of(), spark);
        params.put("run", name);
        params.put("images", images);
        params.put("device", "gpu");
        params.put("image", KubernetesCluster.IMAGE);
        params.put("jar", "local://" + jar.toUri().getRawPath());
        return airflow.runDag(name, DAG, date, params, "--mark-success-pattern", "(?!tokenize).*");
    }

    @Test
    void aDriverInAPodIsWatchedToItsEnd() throws Exception {
        Ended ended = tokenize("done", "2025-03-01", jobs.settings().get("tokenize.input"));
        assertThat(ended.code()).as(ended.log()).isZero();
        assertThat(ended.log()).contains("phase: Succeeded", "submit: tokenize of demo on GPUs, 2 executors");
        FourJobs outputs = jobs.into(Storage.child(jobs.root(), "done"));
        JobResult result = outputs.result(new Storage(new Configuration()), "tokenize");
        assertThat(result.status()).isEqualTo(JobResult.Status.DONE);
        assertThat(result.device()).isEqualTo("gpu");
        DagRun run = airflow.dagRun(DAG, "2025-03-01");
        assertThat(Json.convert(run.tasks().get("tokenize").result(), JobResult.class))
                .isEqualTo(result);
        cluster.kubelet().awaitNone();
    }

    @Test
    void theResultOfAFailedDriverDecides() throws Exception {
        Ended ended =
                tokenize("failed", "2025-03-02", folder.resolve("none").toUri().toString());
        assertThat(ended.code()).as(ended.log()).isOne();
        assertThat(ended.log()).contains("tokenize failed: Cannot");
        assertThat(airflow.dagRun(DAG, "2025-03-02").tasks().get("tokenize").tries())
                .isEqualTo(1);
        List<Pod> drivers = cluster.drivers();
        assertThat(drivers)
                .anySatisfy(driver -> assertThat(driver.getStatus().getPhase()).isEqualTo("Failed"));
        cluster.kubelet().awaitNone();
    }
}
