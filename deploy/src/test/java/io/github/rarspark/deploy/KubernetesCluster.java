package io.github.rarspark.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.rbac.PolicyRule;
import io.fabric8.kubernetes.api.model.rbac.Role;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.github.rarspark.common.spark.SparkSessions;
import io.github.rarspark.common.testing.Jvm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.apache.spark.sql.SparkSession;

/** A Kubernetes of this machine: an API server and one node, for what {@code deploy/kubernetes} has drivers ask for. */
final class KubernetesCluster implements AutoCloseable {
    static final Path MANIFESTS = Path.of("kubernetes").toAbsolutePath();
    static final String IMAGE = "registry/rar-spark:test";

    private static final int EXECUTORS = 2;
    private static final Duration START_LIMIT = Duration.ofSeconds(90);

    private final KubernetesApi api;
    private final Kubelet kubelet;
    private SparkSession session;

    private KubernetesCluster(KubernetesApi api, Kubelet kubelet) {
        this.api = api;
        this.kubelet = kubelet;
    }

    /**
     * A cluster whose node has GPUs.
     *
     * @param folder for volumes and logs
     */
    static KubernetesCluster start(Path folder, int gpus) throws IOException {
        KubernetesApi api = KubernetesApi.start();
        try {
            String namespace = file("spark.conf").get("spark.kubernetes.namespace");
            return new KubernetesCluster(api, Kubelet.start(api.client(namespace), folder, gpus));
        } catch (IOException | RuntimeException | Error e) {
            api.close();
            throw e;
        }
    }

    /** The settings in a file of {@code deploy/kubernetes}. */
    static Map<String, String> file(String name) throws IOException {
        Map<String, String> settings = new TreeMap<>();
        try (Stream<String> lines = Files.lines(MANIFESTS.resolve(name))) {
            lines.filter(line -> !line.isBlank() && !line.startsWith("#")).forEach(line -> {
                String[] words = line.split("\\s+", 2);
                settings.put(words[0], words[1]);
            });
        }
        return settings;
    }

    /** The objects in a file of {@code deploy/kubernetes}. */
    static List<Object> manifests(String name) throws IOException {
        return Stream.of(Files.readString(MANIFESTS.resolve(name)).split("(?m)^---$"))
                .map(text -> (Object) Serialization.unmarshal(text, HasMetadata.class))
                .toList();
    }

    /** What the account of drivers and submitters may do, such as {@code create pods}. */
    private static Set<String> rightsOfTheRole() throws IOException {
        Set<String> rights = new TreeSet<>();
        for (Object manifest : manifests("cluster.yaml")) {
            if (manifest instanceof Role role) {
                for (PolicyRule rule : role.getRules()) {
                    rule.getResources()
                            .forEach(resource -> rule.getVerbs().forEach(verb -> rights.add(verb + " " + resource)));
                }
            }
        }
        return rights;
    }

    /** What is different in this cluster from the settings of {@code deploy/kubernetes}. */
    Map<String, String> ownSettings() {
        Map<String, String> settings = new TreeMap<>();
        settings.put("spark.kubernetes.container.image", IMAGE);
        for (String role : List.of("driver", "executor")) {
            settings.put("spark." + role + ".extraJavaOptions", Jvm.options());
            settings.put("spark." + role + ".memory", "512m");
        }
        settings.put(
                "spark.executor.resource.gpu.discoveryScript",
                Path.of("gpu/discover-gpus").toAbsolutePath().toString());
        settings.put("spark.executor.cores", "1");
        settings.put("spark.executor.instances", Integer.toString(EXECUTORS));
        settings.put("spark.ui.enabled", "false");
        settings.put("spark.kubernetes.allocation.batch.delay", "1s");
        // Pods do not inherit the environment.
        String unpacked = System.getenv("DJL_CACHE_DIR");
        settings.put("spark.executorEnv.DJL_CACHE_DIR", unpacked);
        settings.put("spark.kubernetes.driverEnv.DJL_CACHE_DIR", unpacked);
        return settings;
    }

    /** A session of a driver in this process with the settings of {@code deploy/kubernetes} for GPUs, whose executors are there, which {@link #close} ends. */
    SparkSession session() throws IOException, InterruptedException {
        open();
        SparkSessions.awaitSlots(session, EXECUTORS, START_LIMIT);
        return session;
    }

    /** The same without waiting for the executors. */
    void open() throws IOException {
        SparkSession.Builder builder = SparkSession.builder()
                .master("k8s://" + api.url())
                .appName("kubernetes")
                .config("spark.driver.host", "127.0.0.1")
                .config("spark.driver.bindAddress", "127.0.0.1")
                .config("spark.task.reaper.enabled", "true");
        for (String file : List.of("spark.conf", "gpu.conf")) {
            file(file).forEach(builder::config);
        }
        builder.config(
                "spark.kubernetes.executor.podTemplateFile",
                MANIFESTS.resolve("executor-pod.yaml").toString());
        ownSettings().forEach(builder::config);
        session = builder.getOrCreate();
    }

    /** The API server. */
    KubernetesApi api() {
        return api;
    }

    /** The node. */
    Kubelet kubelet() {
        return kubelet;
    }

    /** Checks that drivers and submitters have used no right that the role of {@code deploy/kubernetes} lacks. */
    void assertRoleSuffices() throws IOException {
        assertThat(api.usedRights()).contains("create pods", "watch pods");
        assertThat(rightsOfTheRole()).containsAll(api.usedRights());
    }

    /** The pods of drivers, also of those that have ended. */
    List<Pod> drivers() {
        return kubelet.stored("driver");
    }

    /** The pods of executors that run now. */
    List<Pod> executors() {
        return kubelet.pods("executor");
    }

    /** Their processes. */
    List<ProcessHandle> executorProcesses() {
        return executors().stream().map(kubelet::process).toList();
    }

    @Override
    public void close() {
        if (session != null) {
            session.close();
        }
        try {
            kubelet.close();
        } finally {
            api.close();
        }
    }
}
