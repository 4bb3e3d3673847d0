package io.github.rarspark.deploy;

import io.github.rarspark.common.spark.SparkSessions;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.S3Interceptor;
import io.github.rarspark.common.testing.S3Server;
import java.io.IOException;
import java.util.Map;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.SparkSession;

/** A bucket of an S3 server with an interceptor before it, reached with the settings of {@code deploy/s3}. */
final class S3Bucket implements AutoCloseable {
    private final S3Server server;
    private final S3Interceptor wire;

    private S3Bucket(S3Server server, S3Interceptor wire) {
        this.server = server;
        this.wire = wire;
    }

    static S3Bucket start() throws Exception {
        S3Server server = S3Server.start().withBucket();
        return new S3Bucket(server, S3Interceptor.start(server.port()));
    }

    S3Server server() {
        return server;
    }

    S3Interceptor wire() {
        return wire;
    }

    /** Spark's settings with which a driver and its executors reach the bucket. */
    Map<String, String> settings() throws IOException {
        Map<String, String> settings = new TreeMap<>(withoutCredentials());
        settings.put("spark.hadoop.fs.s3a.access.key", server.key());
        settings.put("spark.hadoop.fs.s3a.secret.key", server.secret());
        return settings;
    }

    /** The same for those who have credentials of their own. */
    Map<String, String> withoutCredentials() throws IOException {
        Map<String, String> settings = new TreeMap<>(S3FilesTest.settings());
        S3Server.settings(wire.port()).forEach((name, value) -> settings.put("spark.hadoop." + name, value));
        return settings;
    }

    /** The bucket as a session's driver sees it. */
    static Storage storage(SparkSession session) {
        return new Storage(SparkSessions.context(session).hadoopConfiguration());
    }

    /** Hadoop's configuration with the same settings. */
    Configuration configuration() throws IOException {
        Configuration configuration = new Configuration();
        settings().forEach((name, value) -> configuration.set(name.replaceFirst("^spark\\.hadoop\\.", ""), value));
        return configuration;
    }

    @Override
    public void close() throws Exception {
        wire.close();
        server.close();
    }
}
