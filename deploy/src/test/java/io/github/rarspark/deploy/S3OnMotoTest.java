package io.github.rarspark.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.cli.Main;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.FreePort;
import io.github.rarspark.common.testing.Processes;
import io.github.rarspark.common.testing.S3Server;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.hadoop.fs.FileSystem;
import org.apache.spark.sql.SparkSession;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The four jobs on another S3 server than that of the other tests, moto, and a Spark that has no client for S3. */
@Tag("clusters")
@Tag("distribution")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(300)
class S3OnMotoTest {
    private Path folder;
    private int port;
    private Process moto;
    private FourJobs jobs;
    private Map<String, String> expected;

    @BeforeAll
    void start(@TempDir Path temp) throws Exception {
        folder = temp;
        port = FreePort.find();
        moto = new ProcessBuilder(
                        PythonEnvironment.of("s3").program("moto_server").toString(),
                        "-H",
                        "127.0.0.1",
                        "-p",
                        Integer.toString(port))
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("moto.log").toFile())
                .start();
        jobs = FourJobs.write(Files.createDirectory(folder.resolve("inputs")), S3Server.uri("jobs"));
        expected = jobs.expected(folder);
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
    }

    @AfterAll
    void stop() throws IOException {
        Processes.kill(moto);
        // The next test's server of this name has another port.
        FileSystem.closeAll();
    }

    @Test
    void theBucketHasWhatLocalFilesHave() throws Exception {
        SparkSession.Builder builder = SparkSession.builder().master("local[2]");
        settings().forEach(builder::config);
        try (SparkSession session = builder.getOrCreate()) {
            Storage storage = S3Bucket.storage(session);
            jobs.run(session, jobs.upload(storage, S3Server.uri("inputs")));
            assertThat(jobs.contents(storage)).isEqualTo(expected);
        }
    }

    /** The credentials come from a file, as docs/security.md has it. */
    @Test
    void anInstalledSparkTakesTheJarsOfDeploy() throws Exception {
        FourJobs submitted = jobs.into(S3Server.uri("submitted"));
        Path properties = folder.resolve("spark.properties");
        Files.writeString(
                properties,
                settings().entrySet().stream()
                        .map(setting -> setting.getKey() + " " + setting.getValue())
                        .collect(Collectors.joining("\n")));
        List<String> command = new ArrayList<>(List.of(
                PythonEnvironment.of("spark")
                        .installed("pyspark")
                        .resolve("bin/spark-submit")
                        .toString(),
                "--master",
                "local[2]",
                "--properties-file",
                properties.toString(),
                "--jars",
                run(List.of("bash", "s3/jars"), Map.of()).strip(),
                "--class",
                Main.class.getName(),
                Path.of("../cli/target/rar-spark.jar").toRealPath().toString()));
        command.addAll(submitted.arguments("tokenize", "--quiet"));
        // Else spark-submit would take the folder without jars of the other tests.
        run(
                command,
                Map.of(
                        "SPARK_HOME",
                        PythonEnvironment.of("spark").installed("pyspark").toString()));
        HttpResponse<String> listing = HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create(
                                        "http://127.0.0.1:" + port + "/" + S3Server.BUCKET + "?prefix=submitted/"))
                                .build(),
                        HttpResponse.BodyHandlers.ofString());
        assertThat(listing.body())
                .contains("submitted/tokenize/part-000-00003.parquet", "submitted/tokenize/result.json");
    }

    private Map<String, String> settings() throws IOException {
        Map<String, String> settings = new TreeMap<>(S3FilesTest.settings());
        S3Server.settings(port).forEach((name, value) -> settings.put("spark.hadoop." + name, value));
        settings.put("spark.hadoop.fs.s3a.access.key", "any");
        settings.put("spark.hadoop.fs.s3a.secret.key", "any");
        settings.put("spark.ui.enabled", "false");
        settings.put("spark.driver.host", "127.0.0.1");
        settings.put("spark.driver.bindAddress", "127.0.0.1");
        return settings;
    }

    private String run(List<String> command, Map<String, String> environment) throws Exception {
        Path output = folder.resolve("output");
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile());
        builder.environment().putAll(environment);
        int code = Processes.exitCode(builder.start(), Duration.ofSeconds(120));
        String text = Files.readString(output, StandardCharsets.UTF_8);
        assertThat(code).as(text).isZero();
        return text;
    }
}
