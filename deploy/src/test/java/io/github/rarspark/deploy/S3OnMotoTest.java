package io.github.rarspark.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.S3Server;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.apache.hadoop.fs.FileSystem;
import org.apache.spark.sql.SparkSession;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The four jobs on another S3 server than that of the other tests: moto, of PyPI. */
@Tag("clusters")
@Tag("distribution")
@Timeout(300)
class S3OnMotoTest {
    @TempDir
    private Path folder;

    @Test
    void theBucketHasWhatLocalFilesHave() throws Exception {
        FourJobs jobs = FourJobs.write(Files.createDirectory(folder.resolve("inputs")), S3Server.uri("jobs"));
        Map<String, String> expected = jobs.expected(folder);
        int port = freePort();
        Process moto = new ProcessBuilder(
                        Path.of(System.getProperty("rarspark.test.environments"), "s3", "bin", "moto_server")
                                .toString(),
                        "-H",
                        "127.0.0.1",
                        "-p",
                        Integer.toString(port))
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("moto.log").toFile())
                .start();
        try (SparkSession session = session(port)) {
            HttpRequest create = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/" + S3Server.BUCKET))
                    .PUT(HttpRequest.BodyPublishers.noBody())
                    .timeout(Duration.ofSeconds(10))
                    .build();
            HttpClient client = HttpClient.newHttpClient();
            Awaitility.await()
                    .atMost(Duration.ofSeconds(60))
                    .ignoreExceptions()
                    .until(() -> client.send(create, HttpResponse.BodyHandlers.discarding())
                                    .statusCode()
                            == 200);
            Storage storage = S3Bucket.storage(session);
            jobs.run(session, jobs.upload(storage, S3Server.uri("inputs")));
            assertThat(jobs.contents(storage)).isEqualTo(expected);
        } finally {
            // The next test's server of this name has another port.
            FileSystem.closeAll();
            moto.descendants().forEach(ProcessHandle::destroyForcibly);
            moto.destroyForcibly();
        }
    }

    private static SparkSession session(int port) {
        SparkSession.Builder builder = SparkSession.builder()
                .master("local[2]")
                .config("spark.ui.enabled", "false")
                .config("spark.driver.host", "127.0.0.1")
                .config("spark.driver.bindAddress", "127.0.0.1")
                .config("spark.hadoop.fs.s3a.access.key", "any")
                .config("spark.hadoop.fs.s3a.secret.key", "any");
        S3Server.settings(port).forEach((name, value) -> builder.config("spark.hadoop." + name, value));
        return builder.getOrCreate();
    }

    private static int freePort() throws Exception {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }
}
