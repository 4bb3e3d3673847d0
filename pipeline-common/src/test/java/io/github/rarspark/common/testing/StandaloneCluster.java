package io.github.rarspark.common.testing;

import java.io.IOException;
import java.net.ConnectException;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.spark.sql.SparkSession;
import org.awaitility.Awaitility;

/**
 * A Spark Standalone cluster on this machine: a master and workers, each a process with the class path of the test. Unlike
 * {@link LocalCluster} its processes can be stopped, continued and killed independently of the driver, which may be a
 * process as well. The build sets SPARK_HOME and SPARK_SCALA_VERSION, which Spark reads from the environment.
 */
public final class StandaloneCluster implements AutoCloseable {
    private static final Duration START_LIMIT = Duration.ofSeconds(90);
    private static final String EXECUTOR = "CoarseGrainedExecutorBackend";

    private final Path folder;
    private final String master;
    private final Process masterProcess;
    private final List<Process> workers = new ArrayList<>();
    private SparkSession session;

    private StandaloneCluster(Path folder, int port) throws IOException {
        this.folder = Files.createDirectories(folder);
        Files.createDirectory(localDirectory());
        this.master = "spark://127.0.0.1:" + port;
        this.masterProcess = java(
                        "master",
                        List.of("-Xmx256m"),
                        "org.apache.spark.deploy.master.Master",
                        "--host",
                        "127.0.0.1",
                        "--port",
                        Integer.toString(port),
                        "--webui-port",
                        "0")
                .start();
    }

    /**
     * A cluster whose master listens; drivers wait for its workers.
     *
     * @param folder for logs and the workers' directories
     * @param workers how many, each with one core
     */
    public static StandaloneCluster start(Path folder, int workers) throws IOException {
        LocalCluster.prepareSparkHome();
        int port = FreePort.find();
        StandaloneCluster cluster = new StandaloneCluster(folder, port);
        try {
            cluster.awaitMaster(port);
            for (int i = 0; i < workers; i++) {
                cluster.addWorker();
            }
            return cluster;
        } catch (IOException | RuntimeException | Error e) {
            cluster.close();
            throw e;
        }
    }

    private void awaitMaster(int port) {
        Awaitility.await("master").atMost(START_LIMIT).until(() -> {
            if (!masterProcess.isAlive()) {
                throw new IllegalStateException("The master ended: " + Files.readString(log("master")));
            }
            try (Socket socket = new Socket("127.0.0.1", port)) {
                return socket.isConnected();
            } catch (ConnectException e) {
                return false;
            }
        });
    }

    /** Starts one more worker. */
    public void addWorker() throws IOException {
        String name = "worker-" + workers.size();
        workers.add(java(
                        name,
                        List.of("-Xmx256m"),
                        "org.apache.spark.deploy.worker.Worker",
                        "--host",
                        "127.0.0.1",
                        "--webui-port",
                        "0",
                        "--cores",
                        "1",
                        "--memory",
                        "2g",
                        "--work-dir",
                        folder.resolve(name + "-work").toString(),
                        master)
                .start());
    }

    /** The URL of the master. */
    public String master() {
        return master;
    }

    /** A session of a driver in this process, which {@link #close} ends. */
    public SparkSession session(Map<String, String> more) {
        SparkSession.Builder builder = SparkSession.builder().master(master);
        settings().forEach(builder::config);
        builder.config("spark.task.reaper.enabled", "true");
        more.forEach(builder::config);
        session = builder.getOrCreate();
        return session;
    }

    /** What a driver of this cluster needs, beside the master. */
    public Map<String, String> settings() {
        Map<String, String> settings = new TreeMap<>();
        settings.put("spark.driver.host", "127.0.0.1");
        settings.put("spark.driver.bindAddress", "127.0.0.1");
        settings.put("spark.ui.enabled", "false");
        settings.put("spark.executor.memory", "768m");
        settings.put("spark.executor.extraClassPath", Jvm.classPath());
        settings.put("spark.executor.extraJavaOptions", Jvm.options());
        return settings;
    }

    /** A JVM with the class path of the test that logs to {@code folder/NAME.log}. */
    public ProcessBuilder java(String name, List<String> options, String mainClass, String... arguments) {
        ProcessBuilder process = Jvm.of(options, mainClass, arguments);
        process.environment().put("SPARK_LOCAL_IP", "127.0.0.1");
        process.environment().put("SPARK_LOCAL_DIRS", localDirectory().toString());
        return process.redirectErrorStream(true).redirectOutput(log(name).toFile());
    }

    /** Where the workers create the local directories of their executors. */
    public Path localDirectory() {
        return folder.resolve("local");
    }

    /** The log of a process that {@link #java} describes. */
    public Path log(String name) {
        return folder.resolve(name + ".log");
    }

    /** The executors that are alive, in the order of the workers. */
    public List<ProcessHandle> executors() {
        return workers.stream()
                .flatMap(worker -> executorsOf(worker.toHandle()))
                .toList();
    }

    /** The executor with Spark's id {@code id}. */
    public ProcessHandle executor(String id) {
        return executors().stream()
                .filter(process -> {
                    List<String> words = arguments(process);
                    int option = words.indexOf("--executor-id");
                    return option >= 0 && words.get(option + 1).equals(id);
                })
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("No executor " + id));
    }

    private static Stream<ProcessHandle> executorsOf(ProcessHandle worker) {
        return worker.descendants()
                .filter(process -> arguments(process).stream().anyMatch(argument -> argument.endsWith(EXECUTOR)));
    }

    /** The words of a command line, which may be longer than what {@link ProcessHandle.Info} gives. */
    private static List<String> arguments(ProcessHandle process) {
        try {
            String line = Files.readString(Path.of("/proc", Long.toString(process.pid()), "cmdline"));
            return List.of(line.split("\0"));
        } catch (IOException e) {
            return List.of(); // It has ended.
        }
    }

    /** Kills the worker {@code index} and its executors, as when its machine is lost. */
    public void loseWorker(int index) {
        Process worker = workers.get(index);
        List<ProcessHandle> processes = worker.descendants().toList();
        worker.destroyForcibly();
        processes.forEach(ProcessHandle::destroyForcibly);
        Awaitility.await()
                .atMost(START_LIMIT)
                .until(() -> !worker.isAlive() && processes.stream().noneMatch(ProcessHandle::isAlive));
    }

    @Override
    public void close() {
        if (session != null) {
            session.close();
        }
        Stream.concat(workers.stream(), Stream.of(masterProcess)).forEach(Processes::kill);
    }
}
