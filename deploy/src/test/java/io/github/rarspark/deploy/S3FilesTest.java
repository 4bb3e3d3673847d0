package io.github.rarspark.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.testing.Processes;
import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.hadoop.fs.s3a.Constants;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The files in {@code deploy/s3}. */
class S3FilesTest {
    /** The operations that the jobs use, and the action that a policy must allow for each. */
    static final Map<String, String> ACTIONS = Map.ofEntries(
            Map.entry("HeadBucket", "s3:ListBucket"),
            Map.entry("ListObjects", "s3:ListBucket"),
            Map.entry("HeadObject", "s3:GetObject"),
            Map.entry("GetObject", "s3:GetObject"),
            Map.entry("PutObject", "s3:PutObject"),
            Map.entry("CreateMultipartUpload", "s3:PutObject"),
            Map.entry("UploadPart", "s3:PutObject"),
            Map.entry("CompleteMultipartUpload", "s3:PutObject"),
            Map.entry("AbortMultipartUpload", "s3:AbortMultipartUpload"),
            Map.entry("DeleteObject", "s3:DeleteObject"),
            Map.entry("DeleteObjects", "s3:DeleteObject"));

    private static final Path FILES = Path.of("s3");

    @TempDir
    private Path folder;

    /** Spark's settings in {@code spark.conf}. */
    static Map<String, String> settings() throws IOException {
        Map<String, String> settings = new TreeMap<>();
        for (String line : Files.readAllLines(FILES.resolve("spark.conf"))) {
            if (!line.isBlank() && !line.startsWith("#")) {
                String[] words = line.strip().split("\\s+", 2);
                settings.put(words[0], words[1]);
            }
        }
        return settings;
    }

    @Test
    void settingsAreHadoops() throws Exception {
        Set<String> known = new TreeSet<>();
        for (Field field : Constants.class.getFields()) {
            if (field.getType() == String.class) {
                known.add("spark.hadoop." + field.get(null));
            }
        }
        List<String> names = new ArrayList<>(settings().keySet());
        assertThat(names).hasSizeGreaterThan(3);
        Files.readAllLines(FILES.resolve("spark.conf")).stream()
                .filter(line -> line.startsWith("#spark."))
                .forEach(line -> names.add(line.substring(1).split("\\s+")[0]));
        assertThat(known).containsAll(names);
    }

    @Test
    void thePolicyAllowsWhatTheJobsDoAndNoMore() throws Exception {
        JsonNode policy =
                new ObjectMapper().readTree(FILES.resolve("policy.json").toFile());
        Set<String> allowed = new TreeSet<>();
        policy.get("Statement").forEach(statement -> {
            assertThat(statement.get("Effect").asText()).isEqualTo("Allow");
            boolean isOfObjects = statement.get("Resource").asText().endsWith("/*");
            statement.get("Action").forEach(action -> {
                assertThat(action.asText().equals("s3:ListBucket")).isNotEqualTo(isOfObjects);
                allowed.add(action.asText());
            });
        });
        assertThat(allowed).isEqualTo(new TreeSet<>(ACTIONS.values()));
    }

    @Test
    void theRuleEndsUnfinishedUploads() throws Exception {
        JsonNode rules = new ObjectMapper()
                .readTree(FILES.resolve("lifecycle.json").toFile())
                .get("Rules");
        assertThat(rules).hasSize(1);
        assertThat(rules.get(0).get("Status").asText()).isEqualTo("Enabled");
        assertThat(rules.get(0)
                        .get("AbortIncompleteMultipartUpload")
                        .get("DaysAfterInitiation")
                        .asInt())
                .isEqualTo(2);
    }

    @Test
    void jarsAreFoundInAnInstallationAndInABuild() throws Exception {
        for (String lib : List.of("lib/spark", "cli/target/lib")) {
            Path home = Files.createDirectories(folder.resolve(lib.replace('/', '-')));
            Path script = Files.createDirectories(home.resolve("deploy/s3")).resolve("jars");
            Files.copy(FILES.resolve("jars"), script);
            assertThat(run(script)).isEqualTo(ExitCode.UNAVAILABLE.number());
            assertThat(output()).contains("cannot find hadoop-aws").containsOnlyOnce("\n");

            Path jars = Files.createDirectories(home.resolve(lib));
            for (String name : List.of(
                    "hadoop-aws-3.3.4.jar",
                    "aws-java-sdk-bundle-1.12.262.jar",
                    "wildfly-openssl-1.0.7.Final.jar",
                    "hadoop-client-api-3.3.4.jar")) {
                Files.createFile(jars.resolve(name));
            }
            assertThat(run(script)).isZero();
            assertThat(output())
                    .isEqualTo(jars.resolve("hadoop-aws-3.3.4.jar") + ","
                            + jars.resolve("aws-java-sdk-bundle-1.12.262.jar") + ","
                            + jars.resolve("wildfly-openssl-1.0.7.Final.jar") + "\n");
            Path copies = Files.createDirectory(home.resolve("copies"));
            assertThat(run(script, copies.toString())).isZero();
            assertThat(copies.toFile().list()).hasSize(3);
        }
    }

    private int run(Path script, String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of("bash", script.toString()));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("output").toFile())
                .start();
        return Processes.exitCode(process, Duration.ofSeconds(30));
    }

    private String output() throws IOException {
        return Files.readString(folder.resolve("output"));
    }
}
