package io.github.rarspark.deploy;

import io.github.rarspark.common.testing.FreePort;
import io.github.rarspark.common.testing.Processes;
import io.github.rarspark.deploy.Installation.Submission;
import java.io.IOException;
import java.net.ConnectException;
import java.net.Socket;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.awaitility.Awaitility;

/**
 * A Standalone cluster of a Spark as users install it, on this machine: a master and workers of two cores, which
 * {@code deploy/standalone/spark-env.sh} sets up, and an installation of rar-spark that submits jobs to them. Worker 0 has
 * two GPUs, as far as Spark knows; worker 1 has none.
 */
final class SparkDistribution implements AutoCloseable {
    private static final Duration LIMIT = Duration.ofSeconds(120);
    private static final Path JAR = Path.of("../cli/target/rar-spark.jar");
    private static final String EXECUTOR = "org.apache.spark.executor.CoarseGrainedExecutorBackend";

    private final Path folder;
    private final Installation installation;
    private final int port;
    private final Process master;
    private final List<Process> workers = new ArrayList<>();

    private SparkDistribution(Path folder, Installation installation, int port) throws IOException {
        this.folder = folder;
        this.installation = installation;
        this.port = port;
        this.master = sparkClass(
                        "master",
                        "org.apache.spark.deploy.master.Master",
                        "--host",
                        "127.0.0.1",
                        "--port",
                        Integer.toString(port),
                        "--webui-port",
                        "0")
                .start();
    }

    /** A cluster of two workers, with all of its files in {@code folder}. */
    static SparkDistribution start(Path folder) throws IOException {
        if (!Files.exists(JAR)) {
            throw new IllegalStateException(JAR + " is not there: run mvn -pl cli -am -DskipTests package");
        }
        for (String name : List.of("conf", "local", "libtorch")) {
            Files.createDirectories(folder.resolve(name));
        }
        Installation.copy("deploy/standalone/spark-env.sh", folder.resolve("conf/spark-env.sh"));
        Installation.copy("deploy/gpu/discover-gpus", folder.resolve("libtorch/discover-gpus"));
        SparkDistribution cluster = new SparkDistribution(folder, install(folder), FreePort.find());
        try {
            Awaitility.await("the master").atMost(LIMIT).until(cluster::masterListens);
            cluster.addWorker("0,1");
            cluster.addWorker("");
            return cluster;
        } catch (IOException | RuntimeException | Error e) {
            cluster.close();
            throw e;
        }
    }

    /** Executors are small here. */
    private static Installation install(Path folder) throws IOException {
        Installation installation = Installation.create(folder.resolve("rar-spark"), "standalone", JAR);
        Map<String, String> environment = installation.environment();
        environment.put(
                "SPARK_HOME", PythonEnvironment.of("spark").installed("pyspark").toString());
        environment.put("SPARK_CONF_DIR", folder.resolve("conf").toString());
        environment.put("SPARK_LOCAL_IP", "127.0.0.1");
        environment.put("SPARK_LOCAL_DIRS", folder.resolve("local").toString());
        environment.put("SPARK_DAEMON_MEMORY", "256m");
        StringBuilder sizes = new StringBuilder("model\tcommand\tdevice\n");
        for (String command : FourJobs.COMMANDS) {
            for (String device : List.of("cpu", "gpu")) {
                sizes.append(String.join("\t", "demo", command, device, "1", "512m", "1g", "512m", "1g"))
                        .append('\n');
            }
        }
        Files.writeString(installation.home().resolve("deploy/sizes.tsv"), sizes);
        return installation;
    }

    private boolean masterListens() throws IOException {
        if (!master.isAlive()) {
            throw new IllegalStateException("The master ended: " + Files.readString(installation.log("master")));
        }
        try (Socket socket = new Socket("127.0.0.1", port)) {
            return socket.isConnected();
        } catch (ConnectException e) {
            return false;
        }
    }

    private String url() {
        return "spark://127.0.0.1:" + port;
    }

    /** Starts one more worker, which may use the given GPUs. */
    void addWorker(String gpus) throws IOException {
        int number = workers.size();
        ProcessBuilder worker = sparkClass(
                "worker-" + number,
                "org.apache.spark.deploy.worker.Worker",
                "--host",
                "127.0.0.1",
                "--webui-port",
                "0",
                "--work-dir",
                work(number).toString(),
                url());
        worker.environment().put("SPARK_WORKER_CORES", "2");
        worker.environment().put("SPARK_WORKER_MEMORY", "2g");
        worker.environment().put("CUDA_VISIBLE_DEVICES", gpus);
        worker.environment()
                .put("RAR_SPARK_LIBTORCH", folder.resolve("libtorch").toString());
        workers.add(worker.start());
    }

    private Path work(int worker) {
        return folder.resolve("worker-" + worker + "-work");
    }

    /** Kills a worker and what it runs, as when its machine is lost. */
    void loseWorker(int worker) {
        Process process = workers.get(worker);
        List<ProcessHandle> lost = process.descendants().toList();
        process.destroyForcibly();
        lost.forEach(ProcessHandle::destroyForcibly);
        Awaitility.await("the end of the worker")
                .atMost(LIMIT)
                .until(() -> !process.isAlive() && lost.stream().noneMatch(ProcessHandle::isAlive));
    }

    /** The executors of a worker that are alive. */
    List<ProcessHandle> executors(int worker) {
        return workers.get(worker)
                .descendants()
                .filter(process -> words(process).contains(EXECUTOR))
                .toList();
    }

    /** The words of a command line, which may be longer than what {@link ProcessHandle.Info} gives. */
    private static List<String> words(ProcessHandle process) {
        try {
            return List.of(Files.readString(Path.of("/proc", Long.toString(process.pid()), "cmdline"))
                    .split("\0"));
        } catch (IOException e) {
            return List.of(); // It has ended.
        }
    }

    /** The lines of the event log of a submission in client mode. */
    List<String> events(String name) throws IOException {
        List<String> lines = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(events(folder, name))) {
            for (Path file : files) {
                lines.addAll(Files.readAllLines(file));
            }
        }
        return lines;
    }

    private static Path events(Path folder, String name) {
        return folder.resolve("events").resolve(name);
    }

    /** {@link Installation#submit Submits} with what every driver here needs. */
    Submission submit(Processes processes, String name, Map<String, String> settings, List<String> arguments)
            throws IOException {
        Map<String, String> all = new TreeMap<>(settings);
        all.put("spark.driver.host", "127.0.0.1");
        all.put("spark.driver.bindAddress", "127.0.0.1");
        all.put("spark.ui.enabled", "false");
        all.put("spark.eventLog.enabled", "true");
        all.put(
                "spark.eventLog.dir",
                Files.createDirectories(events(folder, name)).toUri().toString());
        List<String> words = new ArrayList<>(List.of("--master", url()));
        words.addAll(arguments);
        return installation.submit(processes, name, all, words);
    }

    private ProcessBuilder sparkClass(String name, String... arguments) {
        List<String> command = new ArrayList<>();
        command.add(installation.environment().get("SPARK_HOME") + "/bin/spark-class");
        command.addAll(List.of(arguments));
        return installation.process(name, command);
    }

    @Override
    public void close() {
        workers.forEach(Processes::kill);
        Processes.kill(master);
    }
}
