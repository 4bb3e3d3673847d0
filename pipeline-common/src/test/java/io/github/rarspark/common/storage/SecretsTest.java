package io.github.rarspark.common.storage;

import static io.github.rarspark.common.testing.JobAssert.assertFails;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.spark.SparkSessions;
import java.io.ByteArrayOutputStream;
import java.io.ObjectOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkConf;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import scala.Tuple2;

class SecretsTest {
    private static final String SECRET = "wJalrXUtnFEMI/K7MDENG";

    @ParameterizedTest
    @ValueSource(
            strings = {
                "fs.s3a.access.key",
                "fs.s3a.secret.key",
                "fs.s3a.session.token",
                "fs.s3a.encryption.key",
                "fs.s3a.server-side-encryption.key",
                "fs.s3a.proxy.password",
                "fs.s3a.bucket.tokens.access.key",
                "fs.s3a.bucket.tokens.secret.key",
                "fs.s3a.bucket.tokens.session.token",
                "fs.s3a.bucket.tokens.encryption.key",
                "fs.s3.awsAccessKeyId",
                "fs.s3n.awsSecretAccessKey",
                "fs.azure.account.key.name.blob.core.windows.net",
                "fs.azure.account.oauth2.client.secret",
                "fs.azure.sas.container.name.blob.core.windows.net",
                "fs.gs.auth.service.account.private.key",
                "ssl.server.keystore.password",
                "hadoop.http.authentication.signature.secret"
            })
    void tasksCarryNoSecret(String name) throws Exception {
        Configuration configuration = new Configuration(false);
        configuration.set("fs.s3a.endpoint", "https://storage.example.org");
        configuration.set(name, SECRET);
        assertThat(serialized(new Storage(configuration)))
                .contains("https://storage.example.org")
                .doesNotContain(SECRET, name);
        assertThat(configuration.get(name)).as("on the driver").isEqualTo(SECRET);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "fs.s3a.aws.credentials.provider",
                "fs.s3a.delegation.token.binding",
                "hadoop.security.credential.provider.path",
                "hadoop.security.credstore.java-keystore-provider.password-file",
                "hadoop.security.token.service.use_ip",
                "dfs.data.transfer.protection"
            })
    void whatOnlySaysWhereSecretsAreIsNone(String name) throws Exception {
        Configuration configuration = new Configuration(false);
        configuration.set(name, "value of the driver");
        assertThat(serialized(new Storage(configuration))).contains(name, "value of the driver");
    }

    @Test
    void tasksTakeSecretsFromSparksConfiguration() {
        try (SparkSession session = SparkSession.builder()
                .master("local[1]")
                .config("spark.ui.enabled", "false")
                .config("spark.driver.host", "127.0.0.1")
                .config("spark.hadoop.fs.s3a.secret.key", SECRET)
                .config("spark.hadoop.fs.s3a.endpoint", "https://storage.example.org")
                .getOrCreate()) {
            Configuration driver =
                    new Configuration(SparkSessions.context(session).hadoopConfiguration());
            driver.set("fs.s3a.session.token", "a token that the driver's program made up");
            driver.set("fs.s3a.endpoint", "https://other.example.org");
            Storage storage = new Storage(driver);
            List<String> values = SparkSessions.context(session)
                    .parallelize(List.of("secret.key", "session.token", "endpoint"), 1)
                    .map(name -> storage.configuration().get("fs.s3a." + name, "none"))
                    .collect();
            assertThat(values).containsExactly(SECRET, "none", "https://other.example.org");
        }
    }

    @Test
    void secretsOfTheDriverAloneAreSharedThroughSparksConfiguration() {
        Configuration driver = new Configuration();
        assertThat(driver.get("fs.adl.oauth2.access.token.provider.type"))
                .as("a setting that has a default")
                .isNotNull();
        driver.set("fs.s3a.access.key", "of the environment");
        driver.set("fs.s3a.secret.key", "of the environment");
        driver.set("fs.s3a.endpoint", "https://storage.example.org");
        driver.set("hadoop.security.group.mapping.ldap.bind.password", "of the gateway");
        SparkConf conf = new SparkConf(false).set("spark.hadoop.fs.s3a.secret.key", "of the user");
        Secrets.share(driver, conf);
        assertThat(Map.of(
                        "spark.hadoop.fs.s3a.access.key", "of the environment",
                        "spark.hadoop.fs.s3a.secret.key", "of the user"))
                .isEqualTo(asMap(conf));
    }

    @Test
    void sparkHidesTheValuesOfTheirSettings() {
        for (String name : List.of("access.key", "secret.key", "session.token", "encryption.key", "proxy.password")) {
            assertThat("spark.hadoop.fs.s3a.bucket.tokens." + name).containsPattern(Secrets.SPARK_REDACTION);
        }
        assertThat("spark.hadoop.fs.azure.sas.data.name.blob.core.windows.net")
                .containsPattern(Secrets.SPARK_REDACTION);
        assertThat("spark.hadoop.fs.s3a.endpoint").doesNotContainPattern(Secrets.SPARK_REDACTION);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"s3a://AKIA0:" + SECRET + "@bucket/x", "s3a://AKIA0:plain@bucket/x", "hdfs://me:pw@host:8020/x"})
    void aUriWithAPasswordIsRefusedAndNotRepeated(String uri) {
        Storage storage = new Storage(new Configuration());
        assertFails(ExitCode.USAGE, () -> storage.exists(uri))
                .contains("with a password: take it out")
                .doesNotContain("AKIA0", "K7MDENG", "plain", "pw");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "file:/none",
                "file:///none",
                "none",
                "s3a://bucket_1/x",
                "hdfs://[::1]:80/x",
                "hdfs://me@127.0.0.1:1/x"
            })
    void otherUrisHaveNone(String uri) {
        Configuration configuration = new Configuration(false);
        configuration.setInt("ipc.client.connect.max.retries", 0);
        assertThat(catchThrowable(() -> new Storage(configuration).exists(uri)))
                .satisfies(e -> assertThat(String.valueOf(e)).doesNotContain("password"));
    }

    private static Map<String, String> asMap(SparkConf conf) {
        return List.of(conf.getAll()).stream().collect(Collectors.toMap(Tuple2::_1, Tuple2::_2));
    }

    private static String serialized(Storage storage) throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(storage);
        }
        return bytes.toString(StandardCharsets.ISO_8859_1);
    }
}
