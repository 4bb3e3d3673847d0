package io.github.rarspark.common.testing;

import java.io.IOException;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.hdfs.MiniDFSCluster;

/** An HDFS in this JVM: one name node, one data node. */
public final class Hdfs implements AutoCloseable {
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
        return new Configuration(cluster.getConfiguration(0));
    }

    @Override
    public void close() {
        cluster.shutdown(true);
    }
}
