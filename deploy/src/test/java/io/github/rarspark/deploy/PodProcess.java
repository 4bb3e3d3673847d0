package io.github.rarspark.deploy;

import io.fabric8.kubernetes.api.model.ConfigMapVolumeSource;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.KeyToPath;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.github.rarspark.common.testing.Jvm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The process of a pod that Spark made, with what the entry point of Spark's image makes of the container's environment
 * and arguments. The image is the class path of the test; the volumes are folders of this machine, and the paths where they
 * would be mounted are replaced by them.
 */
final class PodProcess {
    private static final String WORK = "/opt/spark/work-dir";
    private static final String TEMPORARY = "/tmp";
    private static final String JAVA_OPTION = "SPARK_JAVA_OPT_";

    private final KubernetesClient client;
    private final Pod pod;
    private final Container container;
    private final String ip;
    private final Path folder;
    private final Path hosts;
    private final Path log;
    /** The folders of the volumes by where they are mounted. */
    private final Map<String, Path> mounts = new HashMap<>();

    /**
     * @param ip the address of the pod
     * @param node the folder of all pods
     * @param hosts a file with the names that the cluster's DNS knows
     */
    PodProcess(KubernetesClient client, Pod pod, String ip, Path node, Path hosts) throws IOException {
        this.client = client;
        this.pod = pod;
        this.container = Kubelet.container(pod);
        this.ip = ip;
        this.folder = Files.createDirectories(folder(node, pod));
        this.hosts = hosts;
        this.log = log(node, pod);
    }

    private static Path folder(Path node, Pod pod) {
        return node.resolve(pod.getMetadata().getName());
    }

    /** The file that a pod's output and log go to. */
    static Path log(Path node, Pod pod) {
        return folder(node, pod).resolve("log");
    }

    /**
     * Starts it.
     *
     * @param gpus the indices of the devices that it may use
     * @param options more options of the JVM
     */
    Process start(List<String> gpus, List<String> options) throws IOException {
        makeVolumes();
        Map<String, String> environment = environment();
        List<String> jvm = new ArrayList<>(options);
        environment.forEach((name, value) -> {
            if (name.startsWith(JAVA_OPTION)) {
                jvm.add(value);
            }
        });
        jvm.add("-Djava.io.tmpdir=" + mounted(TEMPORARY));
        jvm.add("-Djdk.net.hosts.file=" + hosts);
        jvm.add("-Dlog4j2.configurationFile=io/github/rarspark/cli/log4j2-local.xml");
        jvm.add("-Drar.log=" + log);
        ProcessBuilder process =
                switch (container.getArgs().get(0)) {
                    case "executor" -> executor(environment, jvm);
                    case "driver" -> driver(environment, jvm);
                    default -> throw new IllegalArgumentException("Not a pod of Spark: " + container.getArgs());
                };
        process.environment().keySet().removeIf(name -> name.startsWith("SPARK_"));
        process.environment().putAll(environment);
        if (!gpus.isEmpty()) {
            process.environment().put("CUDA_VISIBLE_DEVICES", String.join(",", gpus));
        }
        return process.directory(mounted(WORK).toFile())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .start();
    }

    private static ProcessBuilder executor(Map<String, String> environment, List<String> jvm) {
        jvm.add("-Xmx" + environment.get("SPARK_EXECUTOR_MEMORY"));
        return Jvm.of(
                jvm,
                "org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBackend",
                "--driver-url",
                environment.get("SPARK_DRIVER_URL"),
                "--executor-id",
                environment.get("SPARK_EXECUTOR_ID"),
                "--cores",
                environment.get("SPARK_EXECUTOR_CORES"),
                "--app-id",
                environment.get("SPARK_APPLICATION_ID"),
                "--hostname",
                environment.get("SPARK_EXECUTOR_POD_IP"),
                "--resourceProfileId",
                environment.get("SPARK_RESOURCE_PROFILE_ID"),
                "--podName",
                environment.get("SPARK_EXECUTOR_POD_NAME"));
    }

    private ProcessBuilder driver(Map<String, String> environment, List<String> jvm) {
        List<String> arguments = new ArrayList<>(List.of(
                "--conf",
                "spark.driver.bindAddress=" + environment.get("SPARK_DRIVER_BIND_ADDRESS"),
                "--deploy-mode",
                "client"));
        container.getArgs().stream().skip(1).map(this::local).forEach(arguments::add);
        return Jvm.of(jvm, "org.apache.spark.deploy.SparkSubmit", arguments.toArray(String[]::new));
    }

    /** Whether the objects exist that volumes of the pod are filled from; a node waits for them. */
    boolean volumesExist() {
        return pod.getSpec().getVolumes().stream()
                .map(Volume::getConfigMap)
                .allMatch(map -> map == null
                        || client.configMaps().withName(map.getName()).get() != null);
    }

    private void makeVolumes() throws IOException {
        for (VolumeMount mount : container.getVolumeMounts()) {
            mounts.put(mount.getMountPath(), Files.createDirectories(folder.resolve(mount.getName())));
        }
        for (VolumeMount mount : container.getVolumeMounts()) {
            Volume volume = pod.getSpec().getVolumes().stream()
                    .filter(candidate -> candidate.getName().equals(mount.getName()))
                    .findFirst()
                    .orElseThrow(() -> new IllegalArgumentException("No volume for " + mount));
            if (volume.getConfigMap() != null) {
                write(volume.getConfigMap(), mounted(mount.getMountPath()));
            } else if (volume.getEmptyDir() == null) {
                throw new IllegalArgumentException("This node has no volumes such as " + volume);
            }
        }
    }

    private void write(ConfigMapVolumeSource source, Path volume) throws IOException {
        Map<String, String> data =
                client.configMaps().withName(source.getName()).get().getData();
        for (KeyToPath item : source.getItems()) {
            String content = data.get(item.getKey());
            boolean paths = item.getKey().equals("spark.properties"); // of files that the driver reads
            Files.writeString(volume.resolve(item.getPath()), paths ? local(content) : content);
        }
    }

    /** The folder that is mounted at a path, which the process could not write to otherwise. */
    private Path mounted(String path) {
        Path volume = mounts.get(path);
        if (volume == null) {
            throw new IllegalArgumentException("No volume is mounted at " + path + " of "
                    + pod.getMetadata().getName());
        }
        return volume;
    }

    /** A text with the folders of this machine instead of the paths in the container. */
    private String local(String text) {
        String changed = text;
        for (Map.Entry<String, Path> mount : mounts.entrySet()) {
            // Below the machine's own folder for temporary files are files of the test.
            if (!mount.getKey().equals(TEMPORARY)) {
                changed = changed.replace(mount.getKey(), mount.getValue().toString());
            }
        }
        return changed;
    }

    /** The environment of the container. */
    private Map<String, String> environment() {
        Map<String, String> values = new LinkedHashMap<>();
        for (EnvVar variable : container.getEnv()) {
            if (variable.getValueFrom() == null) {
                values.put(variable.getName(), local(variable.getValue()));
            } else {
                String field = variable.getValueFrom().getFieldRef().getFieldPath();
                values.put(
                        variable.getName(),
                        switch (field) {
                            case "status.podIP" -> ip;
                            case "metadata.name" -> pod.getMetadata().getName();
                            default -> throw new IllegalArgumentException("This node does not know " + field);
                        });
            }
        }
        return values;
    }
}
