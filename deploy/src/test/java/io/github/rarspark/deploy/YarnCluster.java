package io.github.rarspark.deploy;

import io.github.rarspark.common.testing.Jvm;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.yarn.api.records.ApplicationId;
import org.apache.hadoop.yarn.api.records.ApplicationReport;
import org.apache.hadoop.yarn.api.records.ContainerReport;
import org.apache.hadoop.yarn.api.records.YarnApplicationState;
import org.apache.hadoop.yarn.client.api.YarnClient;
import org.apache.hadoop.yarn.conf.YarnConfiguration;
import org.apache.hadoop.yarn.exceptions.YarnException;
import org.apache.hadoop.yarn.server.MiniYARNCluster;
import org.apache.spark.sql.SparkSession;
import org.awaitility.Awaitility;

/**
 * YARN on this machine: a resource manager and two node managers in this process, each with one {@value #GPU}, whose
 * containers are processes with the class path of the test.
 */
final class YarnCluster implements AutoCloseable {
    /** YARN's name of the resource. */
    static final String GPU = "yarn.io/gpu";

    /** The number of nodes, and of executors. */
    static final int NODES = 2;

    private static final Duration LIMIT = Duration.ofSeconds(90);
    private static final String EXECUTOR = "YarnCoarseGrainedExecutorBackend";
    /** What clients and application masters need of the cluster's configuration. */
    private static final List<String> ADDRESSES = List.of(
            YarnConfiguration.RM_ADDRESS, YarnConfiguration.RM_SCHEDULER_ADDRESS, YarnConfiguration.RM_WEBAPP_ADDRESS);

    private final Path folder;
    private final MiniYARNCluster cluster;
    private final YarnClient client = YarnClient.createYarnClient();
    private SparkSession session;

    private YarnCluster(Path folder) throws IOException {
        this.folder = Files.createDirectories(folder);
        this.cluster = new MiniYARNCluster("yarn", NODES, 1, 1);
    }

    /** A cluster whose nodes have registered, with its own files in {@code folder}, and logs in {@code target/test/data/yarn}. */
    static YarnCluster start(Path folder) throws Exception {
        YarnCluster yarn = new YarnCluster(folder);
        try {
            yarn.cluster.init(configuration());
            yarn.cluster.start();
            if (!yarn.cluster.waitForNodeManagersToConnect(LIMIT.toMillis())) {
                throw new IllegalStateException("The node managers have not registered");
            }
            yarn.client.init(yarn.cluster.getConfig());
            yarn.client.start();
            yarn.writeClientConfiguration();
            yarn.writeDiscoveryScript();
            return yarn;
        } catch (Exception | Error e) {
            yarn.close();
            throw e;
        }
    }

    private static Configuration configuration() {
        Configuration settings = new YarnConfiguration();
        settings.set(YarnConfiguration.RESOURCE_TYPES, GPU);
        settings.set(YarnConfiguration.NM_RESOURCES_PREFIX + GPU, "1");
        settings.set(YarnConfiguration.YARN_MINICLUSTER_NM_PMEM_MB, "4096");
        settings.set(YarnConfiguration.NM_VCORES, "8");
        settings.set(YarnConfiguration.RM_SCHEDULER_MINIMUM_ALLOCATION_MB, "128");
        // Otherwise the scheduler looks at memory only.
        settings.set(
                "yarn.scheduler.capacity.resource-calculator",
                "org.apache.hadoop.yarn.util.resource.DominantResourceCalculator");
        settings.set("yarn.scheduler.capacity.root.queues", "default");
        settings.set("yarn.scheduler.capacity.root.default.capacity", "100");
        settings.set("yarn.scheduler.capacity.maximum-am-resource-percent", "1.0");
        settings.set("yarn.scheduler.capacity.node-locality-delay", "-1");
        settings.setBoolean(YarnConfiguration.NM_PMEM_CHECK_ENABLED, false);
        settings.setBoolean(YarnConfiguration.NM_VMEM_CHECK_ENABLED, false);
        settings.set(YarnConfiguration.NM_MAX_PER_DISK_UTILIZATION_PERCENTAGE, "100");
        settings.setInt(YarnConfiguration.RM_NM_HEARTBEAT_INTERVAL_MS, 200);
        // Logs of containers stay, for who reads them after a failure; without the second setting, a node manager would
        // wait
        // at its end for when it may delete them.
        settings.setInt(YarnConfiguration.DEBUG_NM_DELETE_DELAY_SEC, 600);
        settings.setInt(YarnConfiguration.NM_LOG_RETAIN_SECONDS, 0);
        settings.setInt(YarnConfiguration.NM_PROCESS_KILL_WAIT_MS, 1000);
        return settings;
    }

    /** The folder that HADOOP_CONF_DIR names on a machine of a user. */
    Path hadoopConf() {
        return folder.resolve("hadoop");
    }

    private void writeClientConfiguration() throws IOException {
        Files.createDirectories(hadoopConf());
        Configuration core = new Configuration(false);
        core.set("fs.defaultFS", "file:///");
        write(core, "core-site.xml");
        Configuration yarn = new Configuration(false);
        ADDRESSES.forEach(key -> yarn.set(key, cluster.getConfig().get(key)));
        write(yarn, "yarn-site.xml");
    }

    private void write(Configuration settings, String name) throws IOException {
        try (OutputStream file = Files.newOutputStream(hadoopConf().resolve(name))) {
            settings.writeXml(file);
        }
    }

    /** Each node manager has directories of its own, where its containers work. */
    private void writeDiscoveryScript() throws IOException {
        Files.writeString(
                discoveryScript(),
                """
                #!/bin/sh
                case $PWD in
                  */yarn-localDir-nm-0_*) export CUDA_VISIBLE_DEVICES=0 ;;
                  */yarn-localDir-nm-1_*) export CUDA_VISIBLE_DEVICES=1 ;;
                esac
                exec '%s'
                """
                        .formatted(Path.of("gpu", "discover-gpus").toAbsolutePath()));
        Files.setPosixFilePermissions(discoveryScript(), PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    /** A script that prints the address of a node's GPU: 0 on one node, 1 on the other. */
    Path discoveryScript() {
        return folder.resolve("discover-gpus");
    }

    /** What an application needs to run here, with executors of one core and one GPU. */
    Map<String, String> settings() {
        Map<String, String> settings = new TreeMap<>();
        settings.put("spark.ui.enabled", "false");
        settings.put("spark.executor.instances", Integer.toString(NODES));
        settings.put("spark.executor.cores", "1");
        settings.put("spark.executor.memory", "512m");
        settings.put("spark.executor.memoryOverhead", "512m");
        settings.put("spark.executor.resource.gpu.amount", "1");
        settings.put(
                "spark.executor.resource.gpu.discoveryScript", discoveryScript().toString());
        settings.put("spark.scheduler.minRegisteredResourcesRatio", "1.0");
        settings.put("spark.yarn.am.memory", "256m");
        settings.put("spark.yarn.scheduler.heartbeat.interval-ms", "200");
        settings.put("spark.yarn.report.interval", "200ms");
        settings.put("spark.yarn.stagingDir", folder.resolve("staging").toUri().toString());
        // Spark and the jobs are in the class path, so any jar will do.
        settings.put("spark.yarn.jars", "local:" + Jvm.classPath().split(":", 2)[0]);
        settings.put("spark.executor.extraClassPath", Jvm.classPath());
        settings.put("spark.driver.extraClassPath", Jvm.classPath());
        for (String process : List.of("spark.executorEnv.", "spark.yarn.appMasterEnv.")) {
            settings.put(process + "JAVA_HOME", System.getProperty("java.home"));
            settings.put(process + "SPARK_LOCAL_IP", "127.0.0.1");
        }
        return settings;
    }

    /** A session of a driver in this process, which {@link #close} ends. */
    SparkSession session(Map<String, String> more) {
        SparkSession.Builder builder = SparkSession.builder().master("yarn");
        builder.config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1");
        ADDRESSES.forEach(
                key -> builder.config("spark.hadoop." + key, cluster.getConfig().get(key)));
        settings().forEach(builder::config);
        more.forEach(builder::config);
        session = builder.getOrCreate();
        return session;
    }

    /** The applications in these states, the newest last. */
    List<ApplicationReport> applications(EnumSet<YarnApplicationState> states) throws IOException, YarnException {
        return client.getApplications(states).stream()
                .sorted(Comparator.comparing(ApplicationReport::getApplicationId))
                .toList();
    }

    /** The containers of a running application; the first is the one of its master. */
    List<ContainerReport> containers(String application) throws IOException, YarnException {
        ApplicationReport report = client.getApplicationReport(ApplicationId.fromString(application));
        return client.getContainers(report.getCurrentApplicationAttemptId()).stream()
                .sorted(Comparator.comparing(ContainerReport::getContainerId))
                .toList();
    }

    /** The GPUs that YARN has allocated to a container. */
    static long gpus(ContainerReport container) {
        return container.getAllocatedResource().getResourceValue(GPU);
    }

    /** The executors that are alive. */
    List<ProcessHandle> executors() {
        return processes()
                .filter(process -> words(process).stream().anyMatch(word -> word.endsWith(EXECUTOR)))
                .toList();
    }

    /** The JVMs of Spark that are alive, in containers and of submissions. */
    private static Stream<ProcessHandle> processes() {
        return ProcessHandle.current().descendants().filter(process -> words(process).stream()
                .anyMatch(word -> word.startsWith("org.apache.spark.deploy.") || word.endsWith(EXECUTOR)));
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

    @Override
    public void close() {
        if (session != null) {
            session.close();
        }
        client.stop();
        cluster.stop();
        processes().forEach(ProcessHandle::destroyForcibly);
        Awaitility.await("the end of all processes")
                .atMost(LIMIT)
                .until(() -> processes().findAny().isEmpty());
    }
}
