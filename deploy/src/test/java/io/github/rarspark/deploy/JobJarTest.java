package io.github.rarspark.deploy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Enumeration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What is in the one jar that a cluster gets, beside what a Spark installation brings along. */
class JobJarTest {
    private static final Path JAR = Path.of("../cli/target/rar-spark.jar");

    /** parquet-avro and Spark's parquet-column have parts of the same library in a package of their own. */
    private static final String COMMON_WITH_SPARK = "shaded/parquet/it/unimi/dsi/fastutil/";

    @BeforeEach
    void isBuilt() {
        assumeTrue(Files.exists(JAR), JAR + " is not built; mvn verify, or package, builds it");
    }

    private static Set<String> entries(Path jar, Predicate<String> wanted) throws IOException {
        try (JarFile file = new JarFile(jar.toFile())) {
            return file.stream()
                    .map(JarEntry::getName)
                    .filter(name -> !name.endsWith("/"))
                    .filter(wanted)
                    .collect(Collectors.toCollection(TreeSet::new));
        }
    }

    private static boolean isClass(String name) {
        return name.endsWith(".class");
    }

    @Test
    void itHasTheClassesOfTheProjectAndOfWhatSparkLacks() throws Exception {
        List<String> packages = List.of(
                "io/github/rarspark/",
                "ai/djl/",
                "com/sun/jna/",
                "org/apache/parquet/avro/",
                COMMON_WITH_SPARK,
                "picocli/",
                "me/tongfei/progressbar/",
                "org/jline/");
        Set<String> classes = entries(JAR, JobJarTest::isClass);
        assertThat(classes).allMatch(name -> packages.stream().anyMatch(name::startsWith));
        assertThat(packages).allMatch(name -> classes.stream().anyMatch(one -> one.startsWith(name)));
        assertThat(classes)
                .as("have a version of their own")
                .anyMatch(name -> name.startsWith("io/github/rarspark/shaded/gson/"))
                .anyMatch(name -> name.startsWith("io/github/rarspark/shaded/snakeyaml/"))
                .anyMatch(name -> name.startsWith("io/github/rarspark/shaded/jackson/yaml/"));
    }

    @Test
    void itsLibrariesAreForLinuxOnX86() throws Exception {
        assertThat(entries(JAR, name -> name.matches(".*\\.(so[.0-9]*|dll|dylib|jnilib|a)")))
                .contains(
                        "native/linux-x86_64/librarspark.so",
                        "native/linux-x86_64/librarspark-nccl.so",
                        "pytorch/cpu/linux-x86_64/libtorch_cpu.so",
                        "jnilib/linux-x86_64/cpu/libdjl_torch.so",
                        "jnilib/linux-x86_64/cu128/libdjl_torch.so",
                        "com/sun/jna/linux-x86-64/libjnidispatch.so")
                .allMatch(
                        name -> name.matches(
                                "(native|pytorch/cpu|jnilib)/linux-x86_64/.*|com/sun/jna/linux-x86-64/.*|org/jline/nativ/Linux/x86_64/.*"));
    }

    /** The compiler does not see the names in service files. */
    @Test
    void itsServicesNameClassesThatItHas() throws Exception {
        try (JarFile jar = new JarFile(JAR.toFile())) {
            Enumeration<JarEntry> all = jar.entries();
            while (all.hasMoreElements()) {
                JarEntry entry = all.nextElement();
                if (!entry.isDirectory() && entry.getName().matches("META-INF/services/[^/]+")) {
                    String text = new String(jar.getInputStream(entry).readAllBytes());
                    assertThat(text.lines().map(String::strip).filter(line -> !line.isEmpty() && !line.startsWith("#")))
                            .as(entry.getName())
                            .isNotEmpty()
                            .allMatch(name -> jar.getEntry(name.replace('.', '/') + ".class") != null);
                }
            }
        }
    }

    @Test
    @Tag("clusters")
    @Tag("distribution")
    void itHasNoClassOfASparkDistribution() throws Exception {
        Path jars = PythonEnvironment.of("spark").installed("pyspark").resolve("jars");
        Set<String> ours = entries(JAR, name -> isClass(name) && !name.startsWith(COMMON_WITH_SPARK));
        try (Stream<Path> list = Files.list(jars)) {
            List<Path> sparks =
                    list.filter(jar -> jar.toString().endsWith(".jar")).toList();
            assertThat(sparks).hasSizeGreaterThan(200);
            for (Path jar : sparks) {
                assertThat(entries(jar, ours::contains))
                        .as(jar.getFileName().toString())
                        .isEmpty();
            }
        }
    }
}
