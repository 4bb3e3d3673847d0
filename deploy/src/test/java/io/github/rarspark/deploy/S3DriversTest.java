package io.github.rarspark.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.cli.Main;
import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.Jvm;
import io.github.rarspark.common.testing.LocalSpark;
import io.github.rarspark.common.testing.Processes;
import io.github.rarspark.common.testing.S3Interceptor.Fault;
import io.github.rarspark.common.testing.S3Server;
import io.github.rarspark.tokenize.TokenizeJob;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.security.alias.CredentialProvider;
import org.apache.hadoop.security.alias.CredentialProviderFactory;
import org.apache.spark.sql.SparkSession;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Drivers as processes of the command line, on a bucket. */
@Tag("clusters")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(300)
class S3DriversTest {
    private static final int LIMIT_SECONDS = 150;

    @RegisterExtension
    final Processes processes = new Processes();

    private Path folder;
    private S3Bucket bucket;
    private Storage storage;
    private FourJobs jobs;
    private Map<String, String> inputs;
    private Map<String, String> expected;

    @BeforeAll
    void tokenizeUndisturbed(@TempDir Path temp) throws Exception {
        folder = temp;
        FourJobs local = FourJobs.write(
                Files.createDirectory(folder.resolve("inputs")), folder.toUri().toString());
        try (SparkSession session = LocalSpark.start(1)) {
            TokenizeJob.run(local.context(session, Map.of()));
        }
        expected = shards(new Storage(new Configuration()), local);
        assertThat(expected).hasSize(4);
        bucket = S3Bucket.start();
        storage = new Storage(bucket.configuration());
        jobs = local.into(S3Server.uri("run"));
        inputs = jobs.upload(storage, S3Server.uri("inputs"));
        Files.createDirectories(Path.of(System.getenv("SPARK_HOME"), "jars"));
    }

    @AfterAll
    void stop() throws Exception {
        bucket.close();
    }

    @BeforeEach
    void forgetFaults() {
        bucket.wire().failWhere(request -> Optional.empty());
        bucket.wire().forget();
    }

    @Test
    @Tag("fault")
    void whatAKilledDriverWasUploadingIsInvisibleAndTheNextCompletesIt() throws Exception {
        FourJobs lost = jobs.into(S3Server.uri("lost"));
        bucket.wire()
                .failOnce(
                        Fault.STALL,
                        request -> request.operation().equals("PutObject")
                                && request.key().equals("lost/tokenize/_manifest.json"));
        Process killed = tokenize("killed", lost, bucket.settings(), Map.of());
        Awaitility.await()
                .atMost(Duration.ofSeconds(LIMIT_SECONDS))
                .until(() ->
                        !killed.isAlive() || !bucket.wire().with(Fault.STALL).isEmpty());
        assertThat(killed.isAlive()).as(() -> err("killed")).isTrue();
        killed.destroyForcibly();
        assertThat(killed.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(storage.list(lost.output("tokenize")))
                .contains("_plan.json", "part-000-00000.parquet")
                .doesNotContain("_manifest.json", "result.json");

        assertThat(end(tokenize("next", lost, bucket.settings(), Map.of())))
                .as(() -> err("next"))
                .isZero();
        assertThat(shards(storage, lost)).isEqualTo(expected);
    }

    /** The winner cannot publish before the other has ended. */
    @Test
    void oneOfTwoDriversGetsTheOutput() throws Exception {
        FourJobs shared = jobs.into(S3Server.uri("shared"));
        CountDownLatch mayPublish = new CountDownLatch(1);
        bucket.wire().failWhere(request -> {
            if (request.operation().equals("PutObject") && request.key().equals("shared/tokenize/_manifest.json")) {
                await(mayPublish);
            }
            return Optional.empty();
        });
        List<Process> drivers = List.of(
                tokenize("one", shared, bucket.settings(), Map.of()),
                tokenize("other", shared, bucket.settings(), Map.of()));
        Awaitility.await().atMost(Duration.ofSeconds(LIMIT_SECONDS)).until(() -> drivers.stream()
                .anyMatch(driver -> !driver.isAlive()));
        mayPublish.countDown();
        assertThat(List.of(end(drivers.get(0)), end(drivers.get(1))))
                .as(() -> err("one") + err("other"))
                .containsExactlyInAnyOrder(ExitCode.OK.number(), ExitCode.TEMPORARY.number());
        assertThat(shards(storage, shared)).isEqualTo(expected);
    }

    @Test
    void wrongCredentialsAreOneLine() throws Exception {
        String wrong = "wrong-" + UUID.randomUUID();
        Map<String, String> wrongSecret = new TreeMap<>(bucket.settings());
        wrongSecret.put("spark.hadoop.fs.s3a.secret.key", wrong);
        Map<String, String> unknownKey = new TreeMap<>(bucket.settings());
        unknownKey.put("spark.hadoop.fs.s3a.access.key", wrong);
        FourJobs refused = jobs.into(S3Server.uri("refused"));
        Map<String, Process> drivers = Map.of(
                "wrong-secret", tokenize("wrong-secret", refused, wrongSecret, Map.of()),
                "unknown-key", tokenize("unknown-key", refused, unknownKey, Map.of()),
                "none", tokenize("none", refused, bucket.withoutCredentials(), Map.of()));
        for (Map.Entry<String, Process> driver : drivers.entrySet()) {
            String name = driver.getKey();
            assertThat(end(driver.getValue())).as(() -> err(name)).isEqualTo(ExitCode.UNAVAILABLE.number());
            assertThat(err(name))
                    .startsWith("rar-spark: Cannot access s3a://bucket/inputs/")
                    .contains("check the credentials")
                    .containsOnlyOnce("\n");
            assertThat(Files.readString(log(name)))
                    .contains("exits with 69")
                    .doesNotContain(wrong, bucket.server().secret());
        }
        assertThat(storage.exists(refused.root())).isFalse();
    }

    /** Executors of other machines do not have the driver's environment. What they are sent is authenticated and encrypted. */
    @Test
    void credentialsInTheDriversEnvironmentAreEnough() throws Exception {
        FourJobs mine = jobs.into(S3Server.uri("environment"));
        Map<String, String> settings = new TreeMap<>(bucket.withoutCredentials());
        settings.put("spark.master", "local-cluster[1,1,768]");
        settings.put("spark.executor.memory", "768m");
        settings.put("spark.executor.extraClassPath", Jvm.classPath());
        settings.put("spark.executor.extraJavaOptions", Jvm.options());
        settings.put("spark.executorEnv.AWS_ACCESS_KEY_ID", "");
        settings.put("spark.executorEnv.AWS_SECRET_ACCESS_KEY", "");
        settings.put("spark.authenticate", "true");
        settings.put("spark.authenticate.secret", UUID.randomUUID().toString());
        settings.put("spark.network.crypto.enabled", "true");
        Map<String, String> environment = Map.of(
                "AWS_ACCESS_KEY_ID", bucket.server().key(),
                "AWS_SECRET_ACCESS_KEY", bucket.server().secret());
        assertThat(end(tokenize("environment", mine, settings, environment)))
                .as(() -> err("environment"))
                .isZero();
        assertThat(shards(storage, mine)).isEqualTo(expected);
    }

    /** A keystore, whose path alone is in Spark's configuration. */
    @Test
    void credentialsInAKeystoreOfHadoopAreEnough() throws Exception {
        String keystore = "localjceks://file" + folder.resolve("s3.jceks");
        Configuration configuration = new Configuration();
        configuration.set(CredentialProviderFactory.CREDENTIAL_PROVIDER_PATH, keystore);
        CredentialProvider provider =
                CredentialProviderFactory.getProviders(configuration).get(0);
        provider.createCredentialEntry(
                "fs.s3a.access.key", bucket.server().key().toCharArray());
        provider.createCredentialEntry(
                "fs.s3a.secret.key", bucket.server().secret().toCharArray());
        provider.flush();
        Map<String, String> settings = new TreeMap<>(bucket.withoutCredentials());
        settings.put("spark.hadoop." + CredentialProviderFactory.CREDENTIAL_PROVIDER_PATH, keystore);
        FourJobs mine = jobs.into(S3Server.uri("keystore"));
        assertThat(end(tokenize("keystore", mine, settings, Map.of())))
                .as(() -> err("keystore"))
                .isZero();
        assertThat(shards(storage, mine)).isEqualTo(expected);
    }

    private static Map<String, String> shards(Storage storage, FourJobs jobs) throws IOException {
        Map<String, String> shards = new TreeMap<>();
        for (String shard : storage.list(jobs.output("tokenize"))) {
            if (shard.startsWith("part-")) {
                shards.put(shard, storage.sha256(Storage.child(jobs.output("tokenize"), shard)));
            }
        }
        return shards;
    }

    private Process tokenize(String name, FourJobs mine, Map<String, String> spark, Map<String, String> environment)
            throws IOException {
        Map<String, String> settings = new TreeMap<>(Map.of(
                "spark.master", "local[1]",
                "spark.ui.enabled", "false",
                "spark.driver.host", "127.0.0.1",
                "spark.driver.bindAddress", "127.0.0.1"));
        settings.putAll(spark);
        List<String> options = new ArrayList<>(List.of(
                "-Xmx512m",
                "-Dlog4j2.configurationFile=io/github/rarspark/cli/log4j2-local.xml",
                "-Drar.log=" + log(name)));
        settings.forEach((key, value) -> options.add("-D" + key + "=" + value));
        String[] overrides = inputs.entrySet().stream()
                .flatMap(input -> Stream.of("--set", input.getKey() + "=" + input.getValue()))
                .toArray(String[]::new);
        List<String> arguments = mine.arguments("tokenize", overrides);
        arguments.add("--quiet");
        ProcessBuilder process = Jvm.of(options, Main.class.getName(), arguments.toArray(String[]::new));
        Stream.of("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
                .forEach(process.environment()::remove);
        process.environment().put("AWS_EC2_METADATA_DISABLED", "true");
        process.environment().putAll(environment);
        return processes.start(process.redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(folder.resolve(name + ".err").toFile()));
    }

    private static int end(Process driver) throws InterruptedException {
        return Processes.exitCode(driver, Duration.ofSeconds(LIMIT_SECONDS));
    }

    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(LIMIT_SECONDS, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private Path log(String name) {
        return folder.resolve(name + ".log");
    }

    private String err(String name) {
        try {
            return Files.readString(folder.resolve(name + ".err"));
        } catch (IOException e) {
            return e.toString();
        }
    }
}
