package io.github.rarspark.deploy;

import io.github.rarspark.common.spark.SparkSessions;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.S3Interceptor;
import io.github.rarspark.common.testing.S3Server;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.spark.sql.SparkSession;

/** A bucket of an S3 server that has the inputs of the four jobs, with an interceptor before it. */
final class S3Bucket implements AutoCloseable {
    private final S3Server server;
    private final S3Interceptor wire;

    private S3Bucket(S3Server server, S3Interceptor wire) {
        this.server = server;
        this.wire = wire;
    }

    static S3Bucket start() throws Exception {
        S3Server server = S3Server.start().withBucket();
        // The only file system of this process that does not go through the interceptor.
        FileSystem.closeAll();
        return new S3Bucket(server, S3Interceptor.start(server.port()));
    }

    S3Server server() {
        return server;
    }

    S3Interceptor wire() {
        return wire;
    }

    /** Spark's settings with which a driver and its executors reach the bucket. */
    Map<String, String> settings() {
        Map<String, String> settings = new TreeMap<>(withoutCredentials());
        settings.put("spark.hadoop.fs.s3a.access.key", server.key());
        settings.put("spark.hadoop.fs.s3a.secret.key", server.secret());
        return settings;
    }

    /** The same for those who have credentials of their own. */
    Map<String, String> withoutCredentials() {
        Map<String, String> settings = new HashMap<>();
        S3Server.settings(wire.port()).forEach((name, value) -> settings.put("spark.hadoop." + name, value));
        return settings;
    }

    /** The bucket as a session's driver sees it. */
    static Storage storage(SparkSession session) {
        return new Storage(SparkSessions.context(session).hadoopConfiguration());
    }

    /** Copies the inputs to the bucket; returns the settings that name them there. */
    static Map<String, String> upload(FourJobs jobs, Storage storage) throws IOException {
        Path folder = jobs.tiny().folder();
        List<Path> files;
        try (Stream<Path> all = Files.walk(folder)) {
            files = all.filter(Files::isRegularFile).toList();
        }
        String root = S3Server.uri("inputs/");
        for (Path file : files) {
            storage.putBytes(root + folder.relativize(file), Files.readAllBytes(file));
        }
        Map<String, String> inputs = new HashMap<>(jobs.settings());
        inputs.replaceAll((key, value) -> value.replace(folder.toUri().toString(), root));
        inputs.keySet().removeIf(key -> inputs.get(key).equals(jobs.settings().get(key)));
        return inputs;
    }

    @Override
    public void close() throws Exception {
        wire.close();
        server.close();
    }
}
