package io.github.rarspark.deploy;

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;

/**
 * A Standalone cluster of a Spark as users install it, on this machine: a master and workers of two cores, which
 * {@code deploy/standalone/spark-env.sh} sets up, and an installation of rar-spark that submits jobs to them. Worker 0 has
 * two GPUs, as far as Spark knows; worker 1 has none.
 */
final class SparkDistribution implements AutoCloseable {
    private static final Duration LIMIT = Duration.ofSeconds(120);
    private static final Path PROJECT = Path.of("..");
    private static final Path JAR = PROJECT.resolve("cli/target/rar-spark.jar");
    private static final String EXECUTOR = "org.apache.spark.executor.CoarseGrainedExecutorBackend";

    private final Path folder;
    private final Path spark;
    private final int port;
    private final Process master;
    private final List<Process> workers = new ArrayList<>();

    /** How a submission ended, and what it printed. */
    record Submission(int code, String console) {}

    private SparkDistribution(Path folder, Path spark, int port) throws IOException {
        this.folder = folder;
        this.spark = spark;
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
        copy("deploy/standalone/spark-env.sh", folder.resolve("conf/spark-env.sh"));
        copy("deploy/gpu/discover-gpus", folder.resolve("libtorch/discover-gpus"));
        install(folder.resolve("rar-spark"));
        SparkDistribution cluster =
                new SparkDistribution(folder, PythonEnvironment.of("spark").installed("pyspark"), freePort());
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
    private static void install(Path home) throws IOException {
        for (String file : List.of(
                "bin/rar-spark",
                "deploy/submit.sh",
                "deploy/standalone/submit",
                "deploy/standalone/spark.conf",
                "deploy/gpu/libtorch.env")) {
            copy(file, home.resolve(file));
        }
        Path jar = home.resolve(PROJECT.relativize(JAR));
        Files.createDirectories(jar.getParent());
        Files.createSymbolicLink(jar, JAR.toRealPath());
        StringBuilder sizes = new StringBuilder("model\tcommand\tdevice\n");
        for (String command : FourJobs.COMMANDS) {
            for (String device : List.of("cpu", "gpu")) {
                sizes.append(String.join("\t", "demo", command, device, "1", "512m", "1g", "512m", "1g"))
                        .append('\n');
            }
        }
        Files.writeString(home.resolve("deploy/sizes.tsv"), sizes);
    }

    private static void copy(String file, Path target) throws IOException {
        Files.createDirectories(target.getParent());
        Files.copy(PROJECT.resolve(file), target, StandardCopyOption.COPY_ATTRIBUTES);
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            return socket.getLocalPort();
        }
    }

    private boolean masterListens() throws IOException {
        if (!master.isAlive()) {
            throw new IllegalStateException("The master ended: " + Files.readString(folder.resolve("master.log")));
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

    /**
     * Submits with {@code deploy/standalone/submit}.
     *
     * @param name of the submission, for its files
     * @param settings Spark's, beside those that every driver here needs
     */
    Process submit(String name, Map<String, String> settings, List<String> arguments) throws IOException {
        StringBuilder conf = new StringBuilder();
        Map.of(
                        "spark.driver.host", "127.0.0.1",
                        "spark.driver.bindAddress", "127.0.0.1",
                        "spark.ui.enabled", "false",
                        "spark.eventLog.enabled", "true",
                        "spark.eventLog.dir",
                                Files.createDirectories(events(folder, name))
                                        .toUri()
                                        .toString())
                .forEach((key, value) -> conf.append(key + " " + value + "\n"));
        settings.forEach((key, value) -> conf.append(key + " " + value + "\n"));
        Path file = Files.writeString(folder.resolve(name + ".conf"), conf);
        List<String> command = new ArrayList<>();
        command.add(folder.resolve("rar-spark/deploy/standalone/submit").toString());
        command.addAll(List.of("--master", url()));
        command.addAll(arguments);
        ProcessBuilder submit = process(name, command.toArray(String[]::new));
        submit.environment().put("RAR_SPARK_CONF", file.toString());
        submit.environment()
                .put("RAR_SPARK_LOG", folder.resolve(name + "-driver.log").toString());
        return submit.start();
    }

    /** Waits for the end of what {@link #submit} has started. */
    Submission await(String name, Process process) throws IOException, InterruptedException {
        if (!process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)) {
            end(process);
            throw new IllegalStateException(name + " does not end: " + console(name));
        }
        return new Submission(process.exitValue(), console(name));
    }

    private String console(String name) throws IOException {
        return Files.readString(folder.resolve(name + ".log"));
    }

    private ProcessBuilder sparkClass(String name, String... arguments) {
        return process(
                name,
                Stream.concat(Stream.of(spark.resolve("bin/spark-class").toString()), Arrays.stream(arguments))
                        .toArray(String[]::new));
    }

    /** A process that logs to {@code NAME.log}, in an environment that has nothing of the test's own Spark. */
    private ProcessBuilder process(String name, String... command) {
        ProcessBuilder process = new ProcessBuilder(command);
        Map<String, String> environment = process.environment();
        environment.keySet().removeIf(variable -> variable.startsWith("SPARK_") || variable.startsWith("RAR_SPARK_"));
        environment.put("JAVA_HOME", System.getProperty("java.home"));
        environment.put("SPARK_HOME", spark.toString());
        environment.put("SPARK_CONF_DIR", folder.resolve("conf").toString());
        environment.put("SPARK_LOCAL_IP", "127.0.0.1");
        environment.put("SPARK_LOCAL_DIRS", folder.resolve("local").toString());
        environment.put("SPARK_DAEMON_MEMORY", "256m");
        return process.redirectErrorStream(true)
                .redirectOutput(folder.resolve(name + ".log").toFile());
    }

    private static void end(Process process) {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
    }

    @Override
    public void close() {
        workers.forEach(SparkDistribution::end);
        end(master);
    }
}
