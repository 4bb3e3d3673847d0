package io.github.rarspark.deploy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.rarspark.common.run.Version;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.Processes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The archive that {@code mvn -Pdist package} makes, unpacked: it runs by itself and writes nothing into its folder. */
@Tag("clusters")
@Tag("distribution")
@Timeout(300)
class DistributionTest {
    private static final Path ARCHIVE = Path.of("target", "rar-spark-" + Version.CURRENT + ".tar.gz");

    @TempDir
    static Path folder;

    private static Path home;

    @BeforeAll
    static void unpack() throws Exception {
        assumeTrue(Files.exists(ARCHIVE), ARCHIVE + " is not built; the profile dist builds it");
        Process tar = new ProcessBuilder("tar", "-xzf", ARCHIVE.toString(), "-C", folder.toString())
                .inheritIO()
                .start();
        assertThat(Processes.exitCode(tar, Duration.ofSeconds(120))).isZero();
        home = folder.resolve("rar-spark-" + Version.CURRENT);
    }

    /** What the launcher printed; its code was 0. */
    private static String run(String... arguments) throws Exception {
        List<String> command =
                new ArrayList<>(List.of(home.resolve("bin/rar-spark").toString()));
        command.addAll(List.of(arguments));
        Path work = Files.createDirectories(folder.resolve("work"));
        Path temporary = Files.createDirectories(folder.resolve("tmp"));
        Path console = folder.resolve("console");
        ProcessBuilder process = new ProcessBuilder(command).directory(work.toFile());
        process.environment().clear();
        process.environment()
                .putAll(Map.of(
                        "PATH",
                        "/usr/bin:/bin",
                        "JAVA_HOME",
                        System.getProperty("java.home"),
                        "TMPDIR",
                        temporary.toString(),
                        "RAR_SPARK_HEAP",
                        "768m",
                        "RAR_SPARK_JAVA_OPTS",
                        "-Duser.home=/nonexistent -Djava.io.tmpdir=" + temporary));
        Process running = process.redirectErrorStream(true)
                .redirectOutput(console.toFile())
                .start();
        int code = Processes.exitCode(running, Duration.ofSeconds(120));
        String text = Files.readString(console);
        assertThat(code).as(text).isZero();
        assertThat(work).isEmptyDirectory();
        return text;
    }

    /** Size and time of all files. */
    private static Map<String, String> files() throws IOException {
        Map<String, String> files = new TreeMap<>();
        try (Stream<Path> tree = Files.walk(home)) {
            for (Path path : tree.toList()) {
                files.put(home.relativize(path).toString(), Files.size(path) + " " + Files.getLastModifiedTime(path));
            }
        }
        return files;
    }

    @Test
    void itRunsWithoutSourcesMavenOrAHome() throws Exception {
        Map<String, String> before = files();
        assertThat(run("--version")).startsWith("rar-spark " + Version.CURRENT);
        FourJobs jobs = FourJobs.write(folder, folder.resolve("out").toUri().toString());
        for (String command : FourJobs.COMMANDS) {
            run(jobs.arguments(command, "--master", "local[2]").toArray(String[]::new));
        }
        assertThat(jobs.contents(new Storage(new Configuration()))).isEqualTo(jobs.expected(folder));
        assertThat(files()).isEqualTo(before);
    }

    @Test
    void itHasWhatASubmitterNeeds() throws Exception {
        assertThat(home.resolve("lib/rar-spark.jar")).isRegularFile();
        assertThat(home.resolve("conf/recipes/rar-xl.yaml")).isRegularFile();
        assertThat(home.resolve("docs/clusters.md")).isRegularFile();
        assertThat(home.resolve("LICENSE")).isRegularFile();
        assertThat(home.resolve("deploy/sizes.tsv")).isRegularFile();
        for (String script : List.of(
                "bin/rar-spark",
                "deploy/submit.sh",
                "deploy/standalone/submit",
                "deploy/yarn/submit",
                "deploy/kubernetes/submit",
                "deploy/s3/jars",
                "deploy/gpu/discover-gpus",
                "deploy/gpu/install-libtorch")) {
            assertThat(home.resolve(script)).isExecutable();
        }
        assertThat(files().keySet())
                .noneMatch(name -> name.endsWith(".java") || name.endsWith("pom.xml") || name.contains("/target/"));
    }

    private static List<String[]> rows(String table) throws IOException {
        return Files.readAllLines(home.resolve(table)).stream()
                .filter(line -> line.contains("\t") && !line.startsWith("#"))
                .map(line -> line.split("\t"))
                .toList();
    }

    @Test
    void theListOfDependenciesNamesAllJarsAndTheirLicenses() throws Exception {
        List<String[]> rows = rows("licenses/DEPENDENCIES");
        assertThat(rows).allSatisfy(row -> {
            assertThat(row).as(String.join(" ", row)).hasSize(4);
            assertThat(row[2]).isNotBlank().doesNotContainIgnoringCase("unknown");
        });
        List<String> jars = rows.stream()
                .map(row -> row[0].substring(row[0].indexOf(':') + 1) + "-" + row[1])
                .toList();
        try (Stream<Path> spark = Files.list(home.resolve("lib/spark"))) {
            assertThat(spark.map(jar -> jar.getFileName().toString().replaceFirst("\\.jar$", "")))
                    .hasSizeGreaterThan(100)
                    .allMatch(jar -> jars.stream().anyMatch(jar::startsWith));
        }
        assertThat(jars)
                .contains("pytorch-native-cpu-2.7.1")
                .anyMatch(jar -> jar.startsWith("gson-"))
                .anyMatch(jar -> jar.startsWith("uplot-"));
    }

    /** The jar's own, or what ORIGINS.tsv names, or, under the Apache License, the archive's. */
    @Test
    void allDependenciesHaveTheTextsOfTheirLicenses() throws Exception {
        Set<String> withText = new HashSet<>();
        for (String[] origin : rows("licenses/ORIGINS.tsv")) {
            assertThat(home.resolve("licenses").resolve(origin[1])).isNotEmptyFile();
            withText.add(origin[0]);
        }
        Set<String> folders = files().keySet().stream()
                .filter(name -> name.matches("licenses/.+-jar/.*LICENSE[^/]*"))
                .map(name -> name.split("/")[1])
                .collect(Collectors.toSet());
        assertThat(rows("licenses/DEPENDENCIES").stream()
                        .filter(row -> !row[2].contains("Apache-2.0"))
                        .filter(row -> !withText.contains(row[0]))
                        .filter(row -> !folders.contains(row[0].replaceFirst(".*:", "") + "-" + row[1] + "-jar"))
                        .map(row -> row[0]))
                .containsExactlyInAnyOrder(
                        "me.tongfei:progressbar", "net.razorvine:pickle", "org.antlr:antlr4-runtime");
        assertThat(home.resolve("LICENSE")).content().contains("Apache License");
    }

    @Test
    void theTextsInSparksJarsAreInTheArchive() throws Exception {
        int texts = 0;
        for (String file : files().keySet()) {
            if (!file.matches("lib/spark/.+\\.jar")) {
                continue;
            }
            Path folder = home.resolve(file.replace("lib/spark/", "licenses/").replaceFirst("\\.jar$", "-jar"));
            try (ZipFile jar = new ZipFile(home.resolve(file).toFile())) {
                List<? extends ZipEntry> entries = jar.stream()
                        .filter(entry -> entry.getName().matches("(META-INF/)?(LICENSE|NOTICE)[^/]*"))
                        .toList();
                for (ZipEntry entry : entries) {
                    assertThat(folder.resolve(entry.getName()))
                            .hasBinaryContent(jar.getInputStream(entry).readAllBytes());
                }
                texts += entries.size();
            }
        }
        assertThat(texts).isGreaterThan(100);
    }
}
