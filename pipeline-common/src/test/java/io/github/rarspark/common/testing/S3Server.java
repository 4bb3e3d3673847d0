package io.github.rarspark.common.testing;

import java.io.IOException;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Properties;
import java.util.UUID;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.s3a.S3AFileSystem;

/**
 * An S3 server in this JVM that keeps its objects in memory and checks signatures. It runs on a class path of its own, because its libraries
 * are of other versions than Spark's; the build copies its jar to {@code target/s3proxy}.
 */
public final class S3Server implements AutoCloseable {
    /** The bucket that exists at the start. */
    public static final String BUCKET = "bucket";

    /** Each server has its own, which tests search for where no secret may be. */
    private final String key;

    private final String secret;

    /** Where the store reports each upload that a client aborts; held, or its level would be forgotten. */
    private static final Logger STORE_LOG = Logger.getLogger("org.jclouds");

    private final URLClassLoader loader;
    private final Object server;
    private final int port;

    private S3Server(URLClassLoader loader, Object server, int port, String key, String secret) {
        this.loader = loader;
        this.server = server;
        this.port = port;
        this.key = key;
        this.secret = secret;
    }

    /** Starts the server on a free port. */
    public static S3Server start() throws Exception {
        Path jar = Path.of("..", "pipeline-common", "target", "s3proxy", "s3proxy-jar-with-dependencies.jar");
        if (!Files.exists(jar)) {
            throw new IllegalStateException("Cannot start the S3 server: no "
                    + jar.toAbsolutePath().normalize() + "; run the tests through Maven, which copies it there");
        }
        URLClassLoader loader = isolated(jar);
        Thread thread = Thread.currentThread();
        ClassLoader before = thread.getContextClassLoader();
        thread.setContextClassLoader(loader);
        try {
            String key = "key-" + UUID.randomUUID();
            String secret = "secret-" + UUID.randomUUID();
            Object server = build(loader, key, secret);
            server.getClass().getMethod("start").invoke(server);
            int port = (int) server.getClass().getMethod("getPort").invoke(server);
            return new S3Server(loader, server, port, key, secret);
        } finally {
            thread.setContextClassLoader(before);
        }
    }

    /** {@code s3a://bucket/name}. */
    public static String uri(String name) {
        return "s3a://" + BUCKET + "/" + name;
    }

    /** Where it listens. */
    public int port() {
        return port;
    }

    /** The access key that it knows. */
    public String key() {
        return key;
    }

    /** The secret key that belongs to it. */
    public String secret() {
        return secret;
    }

    /** A configuration that reaches this server. */
    public Configuration configuration() {
        return configuration(port, key, secret);
    }

    /** A configuration that reaches a server, or a proxy before it, on {@code port} of this machine. */
    public static Configuration configuration(int port, String key, String secret) {
        Configuration configuration = new Configuration();
        settings(port).forEach(configuration::set);
        configuration.set("fs.s3a.access.key", key);
        configuration.set("fs.s3a.secret.key", secret);
        // The smallest that S3 allows, so that small objects have several parts.
        configuration.set("fs.s3a.multipart.size", "5M");
        return configuration;
    }

    /** Hadoop's settings that reach a server on {@code port} of this machine, without credentials. */
    public static Map<String, String> settings(int port) {
        return Map.of(
                "fs.s3a.endpoint", "http://127.0.0.1:" + port,
                "fs.s3a.path.style.access", "true",
                "fs.s3a.connection.ssl.enabled", "false",
                "fs.s3a.endpoint.region", "us-east-1");
    }

    /** Creates the bucket; called once, before the first use. */
    public S3Server withBucket() throws Exception {
        Configuration configuration = configuration();
        configuration.set("fs.s3a.bucket.probe", "0");
        try (S3AFileSystem fs = new S3AFileSystem()) {
            fs.initialize(URI.create("s3a://" + BUCKET + "/"), configuration);
            com.amazonaws.services.s3.AmazonS3 client = fs.getAmazonS3ClientForTesting("create the test bucket");
            client.createBucket(BUCKET);
        }
        return this;
    }

    @Override
    public void close() throws IOException, ReflectiveOperationException {
        // Hadoop keeps one file system per bucket, whose next user would ask this server's port.
        FileSystem.get(URI.create(uri("")), configuration()).close();
        server.getClass().getMethod("stop").invoke(server);
        loader.close();
    }

    /** Sees the JDK and the jar only; its logging is configured by a resource of ours. */
    private static URLClassLoader isolated(Path jar) throws IOException {
        return new URLClassLoader(new URL[] {jar.toUri().toURL()}, ClassLoader.getPlatformClassLoader()) {
            @Override
            public URL findResource(String name) {
                return name.equals("logback-test.xml")
                        ? S3Server.class.getResource("s3-server-logback.xml")
                        : super.findResource(name);
            }
        };
    }

    private static Object build(ClassLoader loader, String key, String secret) throws Exception {
        STORE_LOG.setLevel(Level.OFF);
        Properties properties = new Properties();
        properties.setProperty("s3proxy.endpoint", "http://127.0.0.1:0");
        properties.setProperty("s3proxy.authorization", "aws-v2-or-v4");
        properties.setProperty("s3proxy.identity", key);
        properties.setProperty("s3proxy.credential", secret);
        properties.setProperty("jclouds.provider", "transient");
        properties.setProperty("jclouds.identity", key);
        properties.setProperty("jclouds.credential", secret);
        Class<?> contextBuilder = loader.loadClass("org.jclouds.ContextBuilder");
        Class<?> contextType = loader.loadClass("org.jclouds.blobstore.BlobStoreContext");
        Object context = contextBuilder.getMethod("newBuilder", String.class).invoke(null, "transient");
        context = contextBuilder
                .getMethod("credentials", String.class, String.class)
                .invoke(context, key, secret);
        context = contextBuilder.getMethod("build", Class.class).invoke(context, contextType);
        Object store = contextType.getMethod("getBlobStore").invoke(context);

        Class<?> builderType = loader.loadClass("org.gaul.s3proxy.S3Proxy$Builder");
        Object builder =
                builderType.getMethod("fromProperties", Properties.class).invoke(null, properties);
        Class<?> storeType = loader.loadClass("org.jclouds.blobstore.BlobStore");
        builder = builderType.getMethod("blobStore", storeType).invoke(builder, store);
        return builderType.getMethod("build").invoke(builder);
    }
}
