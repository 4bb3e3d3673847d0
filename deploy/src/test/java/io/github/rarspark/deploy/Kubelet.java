package io.github.rarspark.deploy;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerStatusBuilder;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.PodResource;
import io.github.rarspark.common.testing.Processes;
import io.github.rarspark.kernel.testing.FakeGpus;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;

/**
 * A node of Kubernetes that runs pods of Spark as processes of this machine, each with an address of its own on the
 * loopback device, and reports what becomes of them. Its GPUs are emulated: a pod gets as many as it asks for, and waits
 * until they are free.
 */
final class Kubelet implements AutoCloseable {
    static final String GPU = "nvidia.com/gpu";

    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final long PERIOD_MILLIS = 100;

    private final KubernetesClient client;
    private final Path folder;
    private final Path hosts;
    private final Deque<String> gpus = new ArrayDeque<>();
    private final List<String> gpuOptions;
    private final Map<String, Running> running = new ConcurrentHashMap<>();
    private final Set<String> ended = new HashSet<>();
    private final ScheduledExecutorService loop = Executors.newSingleThreadScheduledExecutor();
    private int started;
    private volatile Throwable failure;

    /** A pod that was started, by its process. */
    private record Running(Pod pod, String ip, Process process, List<String> gpus) {}

    private Kubelet(KubernetesClient client, Path folder, int gpuCount) {
        this.client = client;
        this.folder = folder;
        this.hosts = folder.resolve("hosts");
        for (int i = 0; i < gpuCount; i++) {
            gpus.add(Integer.toString(i));
        }
        this.gpuOptions = gpuCount > 0 ? FakeGpus.javaOptions() : List.of();
    }

    /**
     * A node that runs all pods of a namespace.
     *
     * @param client of the namespace, which this closes
     * @param folder for volumes and logs
     */
    static Kubelet start(KubernetesClient client, Path folder, int gpuCount) throws IOException {
        Kubelet kubelet = new Kubelet(client, Files.createDirectories(folder), gpuCount);
        kubelet.loop.scheduleWithFixedDelay(kubelet::reconcile, 0, PERIOD_MILLIS, TimeUnit.MILLISECONDS);
        return kubelet;
    }

    /** Makes the processes those that the API server wants, and tells it what became of them. */
    private void reconcile() {
        try {
            Map<String, Pod> wanted = new HashMap<>();
            client.pods().list().getItems().forEach(pod -> wanted.put(uid(pod), pod));
            for (Running pod : List.copyOf(running.values())) {
                if (!wanted.containsKey(uid(pod.pod))) {
                    pod.process.destroy();
                }
                if (!pod.process.isAlive()) {
                    end(pod, wanted.containsKey(uid(pod.pod)));
                }
            }
            writeHosts();
            for (Pod pod : wanted.values()) {
                if (!running.containsKey(uid(pod)) && !ended.contains(uid(pod))) {
                    start(pod);
                }
            }
        } catch (IOException | RuntimeException e) {
            failure = e; // which `close` throws
        }
    }

    /** Starts a pod, which else stays pending, if what it needs is here. */
    private void start(Pod pod) throws IOException {
        String ip = "127.0.2." + (started + 1);
        PodProcess description = new PodProcess(client, pod, ip, folder, hosts);
        if (gpus.size() < wantedGpus(pod) || !description.volumesExist()) {
            return;
        }
        started++;
        List<String> given =
                Stream.generate(gpus::remove).limit(wantedGpus(pod)).toList();
        Process process = description.start(given, given.isEmpty() ? List.of() : gpuOptions);
        running.put(uid(pod), new Running(pod, ip, process, given));
        report(pod, ip, "Running", Optional.empty());
    }

    /** The machine's name, if it has an address. */
    private static String ownName() {
        try {
            return " " + InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            return "";
        }
    }

    /** Writes what the cluster's DNS knows: a service, which Spark makes for its driver, has the address of its pod. */
    private void writeHosts() throws IOException {
        StringBuilder lines = new StringBuilder("127.0.0.1 localhost" + ownName() + "\n");
        for (Service service : client.services().list().getItems()) {
            ObjectMeta names = service.getMetadata();
            Map<String, String> selector = service.getSpec().getSelector();
            running.values().stream()
                    .filter(pod -> pod.pod.getMetadata().getLabels().entrySet().containsAll(selector.entrySet()))
                    .forEach(pod -> lines.append(pod.ip)
                            .append(' ')
                            .append(names.getName())
                            .append('.')
                            .append(names.getNamespace())
                            .append(".svc\n"));
        }
        Path written = Files.writeString(folder.resolve("hosts.new"), lines);
        Files.move(written, hosts, StandardCopyOption.ATOMIC_MOVE);
    }

    private static int wantedGpus(Pod pod) {
        Map<String, Quantity> limits = container(pod).getResources().getLimits();
        return limits.containsKey(GPU) ? Integer.parseInt(limits.get(GPU).getAmount()) : 0;
    }

    private void end(Running pod, boolean known) {
        running.remove(uid(pod.pod));
        ended.add(uid(pod.pod));
        gpus.addAll(pod.gpus);
        if (known) {
            int code = pod.process.exitValue();
            report(pod.pod, pod.ip, code == 0 ? "Succeeded" : "Failed", Optional.of(code));
        }
    }

    private void report(Pod pod, String ip, String phase, Optional<Integer> exitCode) {
        ContainerStatusBuilder container = new ContainerStatusBuilder()
                .withName(container(pod).getName())
                .withImage(container(pod).getImage())
                .withImageID("test")
                .withRestartCount(0)
                .withReady(exitCode.isEmpty());
        String now = Instant.now().toString();
        exitCode.ifPresentOrElse(
                code -> container
                        .withNewState()
                        .withNewTerminated()
                        .withExitCode(code)
                        .withFinishedAt(now)
                        .endTerminated()
                        .endState(),
                () -> container
                        .withNewState()
                        .withNewRunning()
                        .withStartedAt(now)
                        .endRunning()
                        .endState());
        PodResource stored = client.pods().withName(pod.getMetadata().getName());
        try {
            stored.editStatus(known -> new PodBuilder(known)
                    .editOrNewStatus()
                    .withPhase(phase)
                    .withPodIP(ip)
                    .withStartTime(now)
                    .withContainerStatuses(container.build())
                    .withConditions()
                    .addNewCondition()
                    .withType("Ready")
                    .withStatus(exitCode.isEmpty() ? "True" : "False")
                    .endCondition()
                    .endStatus()
                    .build());
        } catch (RuntimeException e) {
            if (stored.get() != null) { // else it was deleted meanwhile
                throw e;
            }
        }
    }

    /** The container of Spark in a pod. */
    static Container container(Pod pod) {
        return pod.getSpec().getContainers().get(0);
    }

    private static String uid(Pod pod) {
        return pod.getMetadata().getUid();
    }

    /** The pods that run now and have a role of Spark, {@code driver} or {@code executor}. */
    List<Pod> pods(String role) {
        return running.values().stream()
                .map(Running::pod)
                .filter(pod -> role.equals(pod.getMetadata().getLabels().get("spark-role")))
                .toList();
    }

    /** The pods with a role of Spark that the API server has, as it has them. */
    List<Pod> stored(String role) {
        return client.pods().withLabel("spark-role", role).list().getItems();
    }

    /** The exit code of the container of a pod that has ended. */
    static int exitCode(Pod pod) {
        return pod.getStatus()
                .getContainerStatuses()
                .get(0)
                .getState()
                .getTerminated()
                .getExitCode();
    }

    /** The process of a pod that runs. */
    ProcessHandle process(Pod pod) {
        return running.get(uid(pod)).process.toHandle();
    }

    /** Waits until no pod runs, and fails if one still does. */
    void awaitNone() {
        Awaitility.await("the end of all pods").atMost(LIMIT).until(running::isEmpty);
    }

    /** What the process of a pod printed and logged. */
    String log(Pod pod) throws IOException {
        return Files.readString(PodProcess.log(folder, pod));
    }

    @Override
    public void close() {
        loop.shutdown(); // after the turn that runs
        try {
            if (!loop.awaitTermination(LIMIT.toSeconds(), TimeUnit.SECONDS)) {
                throw new IllegalStateException("The kubelet does not end");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        running.values().forEach(pod -> Processes.kill(pod.process));
        client.close();
        if (failure != null) {
            throw new IllegalStateException("The kubelet failed", failure);
        }
    }
}
