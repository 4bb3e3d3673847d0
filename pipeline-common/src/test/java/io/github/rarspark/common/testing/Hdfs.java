package io.github.rarspark.common.testing;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.hdfs.MiniDFSCluster;

/** An HDFS in this JVM: one name node, one data node. */
public final class Hdfs implements AutoCloseable {
    /**
     * Hadoop's settings of a client: how long it waits before it asks for the second time whether a file is complete, which
     * the only data node often has not reported at the first. By default 400 ms.
     */
    public static final Map<String, String> CLIENT_SETTINGS =
            Map.of("dfs.client.block.write.locateFollowingBlock.initial.delay.ms", "10");

    private final MiniDFSCluster cluster;

    private Hdfs(MiniDFSCluster cluster) {
        this.cluster = cluster;
    }

    /** Starts the cluster with its files in {@code directory}. */
    public static Hdfs start(Path directory) throws IOException {
        Configuration configuration = new Configuration();
        configuration.set("dfs.namenode.fs-limits.min-block-size", "1024");
        MiniDFSCluster cluster = new MiniDFSCluster.Builder(configuration, directory.toFile())
                .numDataNodes(1)
                .build();
        cluster.waitActive();
        return new Hdfs(cluster);
    }

    /** {@code hdfs://host:port/name}. */
    public String uri(String name) {
        return cluster.getURI().resolve("/" + name).toString();
    }

    /** A configuration that reaches this cluster. */
    public Configuration configuration() throws IOException {
        Configuration configuration = new Configuration(cluster.getConfiguration(0));
        CLIENT_SETTINGS.forEach(configuration::set);
        return configuration;
    }

    @Override
    public void close() {
        cluster.shutdown(true);
    }
}
